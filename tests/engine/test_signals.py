"""Our signals call whom Scrapy's would call, wait for whom Scrapy's would wait for, and hide no exception."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest
from pydispatch import dispatcher
from scrapy.exceptions import StopDownload
from twisted.python.failure import Failure

from tmdb_scrapy.engine.signals import DirectSignals

SIGNAL, OTHER = object(), object()


@pytest.fixture
def signals() -> DirectSignals:
    """Of a sender of its own."""
    return DirectSignals(sender=object())


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    """The exceptions that were logged, by the name of their class."""
    return [
        record.exc_info[0].__name__ for record in caplog.records if record.exc_info and record.exc_info[0]
    ]


class TestReceivers:
    def test_nobody_connected_is_nobody_called(self, signals: DirectSignals) -> None:
        assert signals.send_catch_log(SIGNAL, item=1) == []
        assert asyncio.run(signals.send_catch_log_async(SIGNAL, item=1)) == []

    def test_each_gets_the_arguments_that_it_names(self, signals: DirectSignals) -> None:
        def item_alone(item: int) -> Any:
            return item

        def everything(**named: Any) -> Any:
            return named

        def signal_too(signal: Any, *, reason: str) -> Any:
            return signal, reason

        receivers = (item_alone, everything, signal_too)
        for receiver in receivers:
            signals.connect(receiver, SIGNAL)
        assert signals.send_catch_log(SIGNAL, item=1, reason="why") == [
            (item_alone, 1),
            (everything, {"signal": SIGNAL, "sender": signals.sender, "item": 1, "reason": "why"}),
            (signal_too, (SIGNAL, "why")),
        ]

    def test_methods_and_callable_objects_are_called(self, signals: DirectSignals) -> None:
        class Receiver:
            def method(self, item: int) -> int:
                return item + 1

            def __call__(self, item: int) -> int:
                return item + 2

        receiver = Receiver()
        signals.connect(receiver.method, SIGNAL)
        signals.connect(receiver, SIGNAL)
        assert [answer for _, answer in signals.send_catch_log(SIGNAL, item=1)] == [2, 3]

    def test_other_signals_and_other_senders_are_not_heard(self, signals: DirectSignals) -> None:
        def receiver() -> None:
            raise AssertionError("it was called")

        signals.connect(receiver, OTHER)
        DirectSignals(sender=object()).connect(receiver, SIGNAL)
        assert signals.send_catch_log(SIGNAL) == []

    @pytest.mark.parametrize("sender", ["own", "any"])
    def test_who_listens_to_any_signal_hears_this_one_once(self, signals: DirectSignals, sender: str) -> None:
        def receiver(item: int) -> int:
            return item

        whose = signals.sender if sender == "own" else dispatcher.Any
        signals.connect(receiver, SIGNAL)
        dispatcher.connect(receiver, dispatcher.Any, whose)
        try:
            assert signals.send_catch_log(SIGNAL, item=1) == [(receiver, 1)]
        finally:
            dispatcher.disconnect(receiver, dispatcher.Any, whose)

    def test_one_that_is_gone_or_disconnected_is_not_called(self, signals: DirectSignals) -> None:
        class Receiver:
            def method(self) -> None:
                raise AssertionError("it was called")

        gone, disconnected = Receiver(), Receiver()
        signals.connect(gone.method, SIGNAL)
        signals.connect(disconnected.method, SIGNAL)
        signals.disconnect(disconnected.method, SIGNAL)
        del gone
        gc.collect()
        assert signals.send_catch_log(SIGNAL) == []


class TestExceptions:
    @pytest.mark.parametrize("asynchronously", [False, True])
    def test_one_is_logged_and_answered_and_keeps_nobody_from_being_called(
        self, signals: DirectSignals, caplog: pytest.LogCaptureFixture, asynchronously: bool
    ) -> None:
        def clumsy() -> None:
            raise ZeroDivisionError

        def careful() -> str:
            return "done"

        signals.connect(clumsy, SIGNAL)
        signals.connect(careful, SIGNAL)
        if asynchronously:
            (_, error), answer = asyncio.run(signals.send_catch_log_async(SIGNAL))
        else:
            (_, failure), answer = signals.send_catch_log(SIGNAL)
            assert isinstance(failure, Failure)
            error = failure.value
        assert isinstance(error, ZeroDivisionError)
        assert answer == (careful, "done")
        assert errors(caplog) == ["ZeroDivisionError"]
        assert caplog.records[0].levelno == logging.ERROR

    @pytest.mark.parametrize("expected", [KeyError, (KeyError, ValueError)])
    def test_one_that_the_sender_expects_is_answered_without_a_word(
        self, signals: DirectSignals, caplog: pytest.LogCaptureFixture, expected: Any
    ) -> None:
        def refusing() -> None:
            raise KeyError

        async def refusing_later() -> None:
            raise KeyError

        signals.connect(refusing, SIGNAL)
        ((_, failure),) = signals.send_catch_log(SIGNAL, dont_log=expected)
        assert isinstance(failure.value, KeyError)
        signals.connect(refusing_later, SIGNAL)
        answers = asyncio.run(signals.send_catch_log_async(SIGNAL, dont_log=expected))
        assert [type(error) for _, error in answers] == [KeyError, KeyError]
        assert errors(caplog) == []

    def test_stopping_a_download_is_no_mistake(
        self, signals: DirectSignals, caplog: pytest.LogCaptureFixture
    ) -> None:
        def enough() -> None:
            raise StopDownload

        signals.connect(enough, SIGNAL)
        ((_, failure),) = signals.send_catch_log(SIGNAL)
        assert isinstance(failure.value, StopDownload)
        assert errors(caplog) == []


class TestAsynchronousReceivers:
    def test_they_are_waited_for_together(self, signals: DirectSignals) -> None:
        """Each waits for the other: one after the other, they would never end."""
        met = asyncio.Barrier(2)

        async def first(item: int) -> int:
            await met.wait()
            return item

        async def second(item: int) -> int:
            await met.wait()
            return item + 1

        def synchronous(item: int) -> int:
            return item + 2

        async def main() -> Any:
            async with asyncio.timeout(5):
                return await signals.send_catch_log_async(SIGNAL, item=1)

        for receiver in (first, synchronous, second):
            signals.connect(receiver, SIGNAL)
        assert asyncio.run(main()) == [(first, 1), (synchronous, 3), (second, 2)]

    def test_an_exception_of_one_is_logged_and_answered(
        self, signals: DirectSignals, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def clumsy() -> None:
            await asyncio.sleep(0)
            raise ZeroDivisionError

        async def careful() -> str:
            return "done"

        signals.connect(clumsy, SIGNAL)
        signals.connect(careful, SIGNAL)
        (_, error), answer = asyncio.run(signals.send_catch_log_async(SIGNAL))
        assert isinstance(error, ZeroDivisionError)
        assert answer == (careful, "done")
        assert errors(caplog) == ["ZeroDivisionError"]
