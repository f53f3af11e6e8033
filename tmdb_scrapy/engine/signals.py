"""Signals that cost nothing when nobody listens, and little when somebody does."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from types import CodeType
from typing import Any

from pydispatch import dispatcher
from scrapy.exceptions import StopDownload
from scrapy.signalmanager import SignalManager
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

logger = logging.getLogger(__name__)

Receiver = Callable[..., Any]
_NOBODY: dict[Any, list[Any]] = {}
_accepted: dict[CodeType, frozenset[str] | None] = {}
"""The keyword arguments that a receiver's code takes; None for all."""


class DirectSignals(SignalManager):
    """Calls receivers one after another, and makes tasks only of those that are coroutines.

    Scrapy's makes a task of every receiver of an asynchronous signal, and looks into every receiver's
    signature at every call.
    """

    def send_catch_log(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """As Scrapy's: the receivers' answers, failures for exceptions."""
        receivers = self._receivers(signal, kwargs)
        if not receivers:
            return []
        dont_log = (*_pop_dont_log(kwargs), StopDownload)
        answers: list[tuple[Any, Any]] = []
        for receiver in receivers:
            try:
                answer = _call(receiver, signal, kwargs)
                if isinstance(answer, Deferred):
                    logger.error("Cannot return deferreds from signal handler: %s", receiver)
            except dont_log:  # type: ignore[misc]  # Scrapy types StopDownload loosely
                answer = Failure()  # type: ignore[no-untyped-call]
            except Exception:
                answer = Failure()  # type: ignore[no-untyped-call]
                _log_error(receiver, kwargs)
            answers.append((receiver, answer))
        return answers

    async def send_catch_log_async(self, signal: Any, **kwargs: Any) -> list[tuple[Any, Any]]:
        """As Scrapy's: the receivers' answers, exceptions themselves; waits for asynchronous receivers."""
        receivers = self._receivers(signal, kwargs)
        if not receivers:
            return []
        dont_log = _pop_dont_log(kwargs)
        answers: list[tuple[Any, Any]] = []
        waiting: list[int] = []
        for receiver in receivers:
            try:
                answer = _call(receiver, signal, kwargs)
            except dont_log as error:
                answer = error
            except Exception as error:
                answer = error
                _log_error(receiver, kwargs)
            if isinstance(answer, Deferred):
                answer = answer.asFuture(asyncio.get_running_loop())
            if inspect.isawaitable(answer):
                waiting.append(len(answers))
            answers.append((receiver, answer))
        if waiting:
            ended = await asyncio.gather(*(answers[place][1] for place in waiting), return_exceptions=True)
            for place, answer in zip(waiting, ended, strict=True):
                receiver = answers[place][0]
                if isinstance(answer, Exception) and not isinstance(answer, dont_log):
                    logger.error(
                        "Error caught on signal handler: %s", receiver, exc_info=answer,
                        extra={"spider": kwargs.get("spider")},
                    )  # fmt: skip
                answers[place] = (receiver, answer)
        return answers

    def _receivers(self, signal: Any, kwargs: dict[str, Any]) -> Sequence[Receiver]:
        """Those connected to this signal or to any, of this sender or of any, each once."""
        sender = kwargs.setdefault("sender", self.sender)
        connections = dispatcher.connections
        own = connections.get(id(sender), _NOBODY)
        anybody = connections.get(id(dispatcher.Any), _NOBODY)
        if not anybody and dispatcher.Any not in own:
            found = own.get(signal)
            if not found:
                return ()
            return list(_alive(found))
        return list(dispatcher.liveReceivers(dispatcher.getAllReceivers(sender, signal)))


def _alive(references: list[Any]) -> Iterator[Receiver]:
    for reference in references:
        receiver = reference() if isinstance(reference, dispatcher.WEAKREF_TYPES) else reference
        if receiver is not None:
            yield receiver


def _call(receiver: Receiver, signal: Any, kwargs: dict[str, Any]) -> Any:
    """Call with the arguments that the receiver has names for."""
    code = getattr(receiver, "__code__", None)
    if code is None:
        receiver_function = getattr(receiver, "__func__", receiver)
        code = getattr(receiver_function, "__code__", None)
    if code is None:
        return dispatcher.robustapply.robustApply(receiver, signal=signal, **kwargs)
    if code not in _accepted:
        takes_all = code.co_flags & inspect.CO_VARKEYWORDS
        count = code.co_argcount + code.co_kwonlyargcount
        _accepted[code] = None if takes_all else frozenset(code.co_varnames[:count])
    names = _accepted[code]
    if names is None:
        return receiver(signal=signal, **kwargs)
    if "signal" in names:
        kwargs = {**kwargs, "signal": signal}
    return receiver(**{name: value for name, value in kwargs.items() if name in names})


def _pop_dont_log(kwargs: dict[str, Any]) -> tuple[type[Exception], ...]:
    dont_log = kwargs.pop("dont_log", ())
    return tuple(dont_log) if isinstance(dont_log, Sequence) else (dont_log,)


def _log_error(receiver: Receiver, kwargs: dict[str, Any]) -> None:
    logger.error(
        "Error caught on signal handler: %s", receiver, exc_info=True, extra={"spider": kwargs.get("spider")}
    )
