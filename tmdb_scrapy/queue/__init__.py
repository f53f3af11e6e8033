"""The shared queue: which IDs there are, who fetches them, and how each one ended."""

from tmdb_scrapy.queue.connection import connect
from tmdb_scrapy.queue.heartbeat import Heartbeat
from tmdb_scrapy.queue.id_queue import IdQueue, Lease, Progress, Settlement
from tmdb_scrapy.queue.keys import KINDS, Keys
from tmdb_scrapy.queue.states import State

__all__ = [
    "KINDS",
    "Heartbeat",
    "IdQueue",
    "Keys",
    "Lease",
    "Progress",
    "Settlement",
    "State",
    "connect",
]
