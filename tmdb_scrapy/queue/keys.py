"""Every key this project has in Redis: name, type, layout, lifetime.

=========================== ====== ==========================================================================
key                         type   what
=========================== ====== ==========================================================================
``{movies}:queue``          stream the IDs to fetch, most popular first, one entry an ID, field ``id``; its
                                   group ``crawlers`` holds the leases: an entry is pending from its lease to
                                   its settlement, which deletes it
``{movies}:ledger``         string byte N is the state of TMDb ID N (see `tmdb_scrapy.queue.states`)
``{movies}:counts``         hash   how many IDs are in each state, and ``dropped/REASON`` for each reason
``{movies}:fetched``        string two bytes an ID: the day of its last final outcome, since 2020-01-01
``{movies}:about``          hash   ``schema``: the version of this layout, `SCHEMA`; ``settings``: those under
                                   which outcomes were reached (JSON, see `queue/recorded_settings.py`);
                                   ``seeded_on``, ``selections``, ``changes_read``, ``export_compared``: what
                                   refreshes go by; ``updated_at``, when an update last ended well, in seconds
                                   since the epoch (see `queue/freshness.py`)
``{movies}:exported``       string which IDs the export had that was compared last: byte N is 1 for ID N if
                                   it had that; compressed with zlib
``{movies}:control``        string there while the fleet is paused: since when, in seconds since the epoch
``{movies}:failures``       hash   why an ID failed, of the first 500 that are failed or stale
``{movies}:history:<day>``  hash   minute of the day in UTC → what happened in it (see `queue/history.py`);
                                   expires after eight days
``{movies}:traffic:<name>`` string the totals that a worker has told of for that, so that none counts twice
``{movies}:machine:<id>``   sorted the names of a machine's workers, by when they beat; expires after a minute
``{movies}:alive``          sorted the workers under `FLEET_RATE_LIMIT`, by when they beat; one that did not
                                   for `HEARTBEAT_TTL_S` is taken out; expires that long after the last beat
``{movies}:needs``          sorted the same workers, by what each needs of the limit (see `queue/needs.py`)
``{movies}:no-one-gone``    string there for a second after somebody looked for leases of the dead in vain
``{movies}:worker:<name>``  string a worker's heartbeat (JSON), expires `HEARTBEAT_TTL_S` after it was written
=========================== ====== ==========================================================================

The braces are a Redis Cluster hash tag: all keys of one kind live in one slot, so a script may touch them
together.
"""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA = 2
"""Version of this layout. 1 had no ``about``, no ``fetched``, and one byte for all dropped IDs."""
UPDATED_AT = "updated_at"
"""Field of ``about``: when an update last ended well, in seconds since the epoch."""
GROUP = "crawlers"
HEARTBEAT_INTERVAL_S = 2.0
HEARTBEAT_TTL_S = 10.0
MACHINE_TTL_S = 60
"""A name in a machine's set means little by itself: whether its worker lives, its heartbeat says."""


@dataclass(frozen=True, slots=True)
class Keys:
    """The Redis keys of one kind of record."""

    kind: str

    @property
    def queue(self) -> str:
        return f"{{{self.kind}}}:queue"

    @property
    def ledger(self) -> str:
        return f"{{{self.kind}}}:ledger"

    @property
    def counts(self) -> str:
        return f"{{{self.kind}}}:counts"

    @property
    def fetched(self) -> str:
        return f"{{{self.kind}}}:fetched"

    @property
    def about(self) -> str:
        return f"{{{self.kind}}}:about"

    @property
    def exported(self) -> str:
        return f"{{{self.kind}}}:exported"

    @property
    def control(self) -> str:
        return f"{{{self.kind}}}:control"

    @property
    def failures(self) -> str:
        return f"{{{self.kind}}}:failures"

    def history(self, day: str) -> str:
        return f"{{{self.kind}}}:history:{day}"

    def traffic(self, name: str) -> str:
        return f"{{{self.kind}}}:traffic:{name}"

    def machine(self, machine: str) -> str:
        return f"{{{self.kind}}}:machine:{machine}"

    @property
    def alive(self) -> str:
        return f"{{{self.kind}}}:alive"

    @property
    def needs(self) -> str:
        return f"{{{self.kind}}}:needs"

    @property
    def no_one_gone(self) -> str:
        return f"{{{self.kind}}}:no-one-gone"

    @property
    def worker_prefix(self) -> str:
        return f"{{{self.kind}}}:worker:"

    def worker(self, name: str) -> str:
        return self.worker_prefix + name
