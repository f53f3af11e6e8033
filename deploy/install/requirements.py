"""What hosts need from the package index, pinned to the versions that this machine runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "tmdb-scrapy"
ONLY_HERE = {"fabric", "numpy"}
"""Fabric drives the fleet, hosts are driven. With numpy merge and audit look at what was brought home."""

EXTRAS = frozenset({"", "redis-server"})
"""Any host may become REMOTE_HOST and lack a redis-server of its own."""


def needed(target: Mapping[str, str]) -> list[str]:
    """Requirements of the project and of all that it pulls in, on a machine with the environment markers
    `target` (PEP 508, such as `python_full_version`), and pip, which installs them.

    pip itself judges markers by the machine it runs on, even with `--python-version`; and a library may need
    a backport on the hosts' Python that this machine's does not. Such a one cannot be pinned to what is
    installed here, so it stays as its user requires it.
    """
    chosen: dict[str, str] = {}
    waiting = list(_applying(distribution(PROJECT), EXTRAS, target))
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in chosen or name in ONLY_HERE:
            continue
        installed = _installed(name)
        if installed is None:
            chosen[name] = f"{name}{requirement.specifier}"
        else:
            chosen[name] = f"{name}=={installed.version}"
            waiting.extend(_applying(installed, frozenset({"", *requirement.extras}), target))
    return [*(text for _, text in sorted(chosen.items())), f"pip=={distribution('pip').version}"]


def _applying(
    package: Distribution, extras: frozenset[str], target: Mapping[str, str]
) -> Iterator[Requirement]:
    for text in package.requires or []:
        requirement = Requirement(text)
        marker = requirement.marker
        if marker is None or any(marker.evaluate({**target, "extra": extra}) for extra in extras):
            yield requirement


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
