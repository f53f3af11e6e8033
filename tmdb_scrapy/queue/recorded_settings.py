"""The settings under which outcomes were reached, recorded with the ledger.

Outcomes of other settings are other outcomes: what another filter dropped, what another language says, what
was not asked for. They are never mixed in silence. THREADS, RATE_LIMIT and the like concern no record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from tmdb_scrapy.config import Config
from tmdb_scrapy.kinds import Kind

FIELD = "settings"
"""Of the hash `about`: JSON, setting → value."""
MARK = "OTHERSETTINGS"
"""By which the script that settles says that it did not, since others are recorded."""


class OtherSettings(Exception):
    """Settings differ from those under which outcomes were reached; the text says how, and the ways out."""


def present(config: Config, kind: Kind) -> dict[str, str]:
    """What decides about the records of a kind, each in one spelling: `true` is `on`, the order of what is
    appended means nothing, the limits of a filter that is off do not either."""
    settings = {
        kind.append_key: ",".join(sorted(config.appended(kind))),
        "LANGUAGE": config.language,
        "TMDB_API_URL": config.tmdb_api_url,
    }
    if kind.filter:
        on = config.filters(kind)
        settings[kind.filter.switch] = "on" if on else "off"
        if on:
            settings |= {key: str(config.of_kinds[key]) for key in kind.filter.limits}
    return dict(sorted(settings.items()))


def written(settings: Mapping[str, str]) -> bytes:
    """As they are recorded."""
    return msgspec.json.encode(dict(sorted(settings.items())))


def read(text: bytes | None) -> dict[str, str]:
    """As they were recorded; none where nothing was."""
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def differing(recorded: Mapping[str, str], now: Mapping[str, str], kind: Kind) -> list[str]:
    """The keys of the settings that differ. A key that one side does not know, as one of a later release or a
    limit of a filter that is off, is none."""
    keys = [key for key in sorted(recorded.keys() & now.keys()) if recorded[key] != now[key]]
    if kind.filter and kind.filter.switch in keys:
        keys = [key for key in keys if key not in kind.filter.limits]
    return keys


def differences(recorded: Mapping[str, str], now: Mapping[str, str], kind: Kind) -> str:
    """What differs, for people; empty when nothing does."""
    return "; ".join(
        f"{key} is {now[key]!r} now and was {recorded[key]!r}" for key in differing(recorded, now, kind)
    )


def way_out(recorded: Mapping[str, str], now: Mapping[str, str], kind: Kind) -> str:
    """What to run so that all outcomes are those of the settings of now."""
    only_filter = set(differing(recorded, now, kind)) <= set(filter_keys(kind))
    if only_filter and not is_stricter(recorded, now, kind):
        return f"scrapy retry {kind.name} --dropped"
    return f"scrapy refresh {kind.name} --all"


def is_stricter(recorded: Mapping[str, str], now: Mapping[str, str], kind: Kind) -> bool:
    """Whether the filter now drops what it kept before: then what was kept has to be judged again as well."""
    if kind.filter is None or now.get(kind.filter.switch) == "off":
        return False
    if recorded.get(kind.filter.switch) == "off":
        return True
    limits = [key for key in kind.filter.limits if key in recorded and key in now]
    return any(int(now[key]) > int(recorded[key]) for key in limits)


def filter_keys(kind: Kind) -> Sequence[str]:
    """The settings of a kind's filter."""
    return (kind.filter.switch, *kind.filter.limits) if kind.filter else ()
