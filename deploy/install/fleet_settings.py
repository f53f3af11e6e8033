"""Scrapy's settings on a fleet host: the project's, and the console password that `launch` chose.

Sent along with the project. Left to itself, Scrapy makes a password up and writes it into the log.
"""

import os

from tmdb_scrapy.config import Secret
from tmdb_scrapy.settings import *  # noqa: F403

# A plain string would be logged too, among the "overridden settings".
TELNETCONSOLE_PASSWORD = Secret(os.environ["TELNETCONSOLE_PASSWORD"])
