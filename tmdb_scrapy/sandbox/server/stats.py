"""Counts of what the sandbox was asked and answered."""

from __future__ import annotations

from collections import Counter

from tmdb_scrapy.sandbox.server.journal import Entry


class Stats:
    """API requests by status, address and fault, and how many were in flight."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.refused_connections = 0
        self._max_in_flight = 0
        self._requests = 0
        self._bytes = 0
        self._by_status: Counter[int] = Counter()
        self._by_ip: Counter[str] = Counter()
        self._by_fault: Counter[str] = Counter()
        self._request_seconds = 0.0
        self._first = 0.0
        self._last = 0.0

    def arrived(self) -> int:
        """Count a request in; returns how many are in flight with it."""
        self.in_flight += 1
        self._max_in_flight = max(self._max_in_flight, self.in_flight)
        return self.in_flight

    def ended(self, entry: Entry) -> None:
        self.in_flight -= 1
        self._requests += 1
        self._bytes += entry.bytes
        self._by_status[entry.status] += 1
        self._by_ip[entry.ip] += 1
        if entry.fault:
            self._by_fault[entry.fault] += 1
        self._request_seconds += entry.end - entry.t
        self._first = min(self._first or entry.t, entry.t)
        self._last = max(self._last, entry.end)

    def summary(self) -> dict[str, object]:
        """For `GET /_sandbox/stats`. The mean counts from the first arrival to the last end."""
        span_s = self._last - self._first
        return {
            "requests": self._requests,
            "bytes": self._bytes,
            "by_status": {str(status): count for status, count in sorted(self._by_status.items())},
            "by_ip": dict(self._by_ip),
            "by_fault": dict(self._by_fault),
            "in_flight": self.in_flight,
            "max_in_flight": self._max_in_flight,
            "mean_in_flight": round(self._request_seconds / span_s, 3) if span_s > 0 else 0.0,
            "seconds": round(span_s, 3),
            "refused_connections": self.refused_connections,
        }
