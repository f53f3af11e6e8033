"""Whether what is appended comes at all. One record without it is at fault; if all are, the setting is."""

from __future__ import annotations

from collections.abc import Sequence

ENOUGH = 100
"""When so many records lack a name and none has it, TMDb does not know it: it drops such a name silently."""


class Completeness:
    """Counts, for each appended name, the records that lacked it until the first that had it."""

    def __init__(self, appended: Sequence[str]) -> None:
        self._lacking = dict.fromkeys(appended, 0)

    def complete(self) -> None:
        """A record came with everything."""
        if self._lacking:
            self._lacking.clear()

    def lacks(self, name: str) -> None:
        """A record came without `name`."""
        if name in self._lacking:
            self._lacking[name] += 1

    def never_came(self, name: str, last_chance: bool = False) -> bool:
        """Whether nobody's record has had `name`: told after `ENOUGH` of them, or when an ID is about to be
        given up for it (`last_chance`)."""
        lacking = self._lacking.get(name, 0)
        return lacking >= ENOUGH or (last_chance and lacking > 0)
