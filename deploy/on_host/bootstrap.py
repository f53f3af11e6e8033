"""The first lines that run on a host: make the modules sent along importable, call one function.

Its source is sent, followed by one call of `run`, so it imports nothing of this project at the top.
"""

from __future__ import annotations

import errno
import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import sys
import traceback
from typing import Any


class SentModules(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Imports modules from source text held in memory, because the host's disk may be full."""

    def __init__(self, sources: dict[str, str]) -> None:
        self.sources = sources

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        if fullname not in self.sources:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=self.is_package(fullname))

    def is_package(self, fullname: str) -> bool:
        return any(name.startswith(fullname + ".") for name in self.sources)

    def get_source(self, fullname: str) -> str:
        return self.sources[fullname]

    def exec_module(self, module: Any) -> None:
        name = module.__name__
        file = "<" + name + ">"
        source = self.sources[name]
        linecache.cache[file] = (len(source), None, source.splitlines(True), file)
        exec(compile(source, file, "exec"), module.__dict__)  # noqa: S102  (this is what a loader does)


def describe(error: BaseException) -> dict[str, str]:
    """`error` as what a person can act on: the reason, and the next step where one is known."""
    advice = getattr(error, "advice", None)
    if advice is not None:
        return {"reason": str(error), "advice": advice}
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return {
            "reason": f"disk full: {error}",
            "advice": "free some space on this host, then run the same command",
        }
    if isinstance(error, PermissionError):
        return {
            "reason": str(error),
            "advice": "give the SSH user that right, or choose a REMOTE_WORKING_DIR where it has it",
        }
    if isinstance(error, OSError):
        return {"reason": str(error), "advice": ""}
    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{last.filename}:{last.lineno}"
    return {
        "reason": f"{type(error).__name__}: {error} ({where})",
        "advice": "this is a bug in deploy/on_host",
    }


def run(sources: dict[str, str], module: str, function: str, arguments: dict[str, Any], mark: str) -> None:
    """Call `module.function(**arguments)`; write `mark`, then the result as JSON, to standard output.

    A failure is written to standard error in the same way, and the exit status is 1. `mark` tells our
    output from whatever the host's shell start-up files print. A function that returns None wrote its own.
    """
    sys.meta_path.insert(0, SentModules(sources))
    try:
        importlib.import_module("deploy.on_host.privacy").begin()
        called = getattr(importlib.import_module(module), function)
        if getattr(called, "streams", False):
            sys.stdout.buffer.write(mark.encode())
            sys.stdout.buffer.flush()
            called(**arguments)
        else:
            result = json.dumps(called(**arguments))
            sys.stdout.buffer.write((mark + result).encode())
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(1) from None
    except Exception as error:
        sys.stderr.write(mark + json.dumps(describe(error)))
        raise SystemExit(1) from None
