"""The shared queue: which IDs there are, who fetches them, and how each one ended."""

from tmdb_scrapy.queue.connection import connect
from tmdb_scrapy.queue.heartbeat import Heartbeat
from tmdb_scrapy.queue.history import History, Minute, Traffic
from tmdb_scrapy.queue.id_queue import IdQueue, Lease, Picture, Settlement
from tmdb_scrapy.queue.keys import Keys
from tmdb_scrapy.queue.release import OtherRelease
from tmdb_scrapy.queue.snapshot import Snapshot, snapshots
from tmdb_scrapy.queue.states import Ledger, State

__all__ = [
    "Heartbeat",
    "History",
    "IdQueue",
    "Keys",
    "Lease",
    "Ledger",
    "Minute",
    "OtherRelease",
    "Picture",
    "Settlement",
    "Snapshot",
    "State",
    "Traffic",
    "connect",
    "snapshots",
]
