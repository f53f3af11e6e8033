"""Reading a `.env` file: what is not understood is refused, every line of it at once."""

from __future__ import annotations

import io
import re
from collections.abc import Collection
from pathlib import Path

from dotenv.parser import Binding, parse_stream

ENV_FILE = ".env"
"""Read from the working directory; the environment wins over it."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*")


class EnvFileError(ValueError):
    """Lines of a `.env` file that are not understood; `problems` has a sentence for each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("\n".join(problems))


def read_env_file(path: Path) -> dict[str, str]:
    """The keys of a `.env` file; none when there is no such file.

    Accepts what python-dotenv does, and the original program's ` ; comment` after a value. Raises
    `EnvFileError` for lines that are no `KEY=value` and for a key of two values, `OSError` and
    `UnicodeDecodeError`.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    values: dict[str, str] = {}
    lines: dict[str, int] = {}
    problems = []
    for binding in parse_stream(io.StringIO(_without_comments(text))):
        line = binding.original.line
        problem = _problem_of(binding)
        if binding.key is not None and not problem:
            value = binding.value or ""
            if values.setdefault(binding.key, value) != value:
                problem = f"{binding.key} has another value on line {lines[binding.key]}; keep one of them"
            lines.setdefault(binding.key, line)
        if problem:
            problems.append(f"{path}, line {line}: {problem}")
    if problems:
        raise EnvFileError(problems)
    return values


def misspelt(keys: Collection[str], known: Collection[str]) -> dict[str, str]:
    """Those of `keys` that are one slip away from a known key, with that key."""
    found = {}
    for key in keys:
        plain = key.upper().replace("-", "_")
        if key not in known:
            near = next((each for each in known if plain == each or _is_one_slip(plain, each)), None)
            if near is not None:
                found[key] = near
    return found


def _without_comments(text: str) -> str:
    """The original program's comments begin with a semicolon, which python-dotenv does not know."""
    text = re.sub(r"""(?m)^(\s*[\w.]+\s*=\s*[^'"\s;][^\n]*?|\s*[\w.]+\s*=)[ \t]+;.*$""", r"\1", text)
    text = re.sub(r"""(?m)^(\s*[\w.]+\s*=\s*(?:'[^'\n]*'|"[^"\n]*"))[ \t]+;.*$""", r"\1", text)
    return re.sub(r"(?m)^\s*;.*$", "", text)


def _problem_of(binding: Binding) -> str:
    """Why a line is not understood; empty when it is. The value is not quoted: it may be a secret."""
    line = binding.original.string.strip()
    name = re.match(r"(?:export\s+)?['\"]?([^\s=:'\"]+)", line)
    meant = f"{name[1]}=value" if name else "KEY=value"
    if binding.error:
        if "=" in line and line.count("'") % 2 + line.count('"') % 2:
            return f"a quote is not closed; write {meant}, or quote the whole value"
        return f"not understood; write {meant}"
    if binding.key is not None and not _NAME.fullmatch(binding.key):
        return f"{binding.key!r} is no name of a key; write {binding.key.replace('-', '_').strip(':')}=value"
    if binding.key is not None and binding.value is None:
        return f"has no value; write {meant}"
    return ""


def _is_one_slip(written: str, meant: str) -> bool:
    """Whether one letter was left out, added, exchanged, or changed places with its neighbour."""
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    start = next((i for i, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b), None)
    if start is None:
        return True
    rest, wanted = written[start:], meant[start:]
    swapped = rest[1:2] + rest[:1] + rest[2:]
    return rest[1:] == wanted or rest == wanted[1:] or rest[1:] == wanted[1:] or swapped == wanted
