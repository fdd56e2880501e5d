"""Application errors: exceptions that answer a message, and are no failures."""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, Literal, Never

import pytest

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.exceptions import DeniedError, MessageError
from chanx.core.guards import Guard
from chanx.core.observers import Observer, add_observer, is_failure, remove_observer
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Basic, HookByHook
from chanx_conformance.models import COMPLETE, PONG, ChatMessage, FailMessage, NewsEvent
from chanx_conformance.suite import Consumer, Suite

__all__ = ["ErrorTests"]

SOLD_OUT: JSONObject = {"type": "sold_out", "loc": [], "msg": "No seats left", "waiting": [3]}


class BookMessage(BaseMessage):
    """Asks for a seat."""

    action: Literal["book"] = "book"
    payload: None = None


def refuse() -> Never:
    """Raise the error that the tests expect."""
    raise MessageError("sold_out", "No seats left", waiting=[3])


class Full(Guard):
    """Refuses with an application error."""

    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Refuse."""
        refuse()


class InHandler(Basic):
    """Raises in a handler; failures are answered in a way of its own."""

    @ws_handler
    async def book(self, message: BookMessage) -> None:
        """Refuse."""
        refuse()

    @event_handler
    async def news(self, event: NewsEvent) -> ChatMessage:
        """Refuse what is not good."""
        if event.payload != "good":
            refuse()
        return await super().news(event)

    async def handle_message_handler_error(
        self, error: Exception, action: str, message: BaseMessage
    ) -> None:
        """Never run."""
        raise AssertionError("An application error is no failure")

    async def handle_event_handler_error(
        self, error: Exception, action: str, event: BaseMessage
    ) -> None:
        """Never run."""
        raise AssertionError("An application error is no failure")

    async def handle_json_processing_error(self, error: Exception) -> None:
        """Never run."""
        raise AssertionError("An application error is no failure")


class InGuard(InHandler):
    """Raises in a guard."""

    @ws_handler(guards=[Full()])
    async def book(self, message: BookMessage) -> None:
        """Never run."""


class InParameter(InHandler):
    """Raises where a parameter of the handler is provided."""

    @ws_handler
    async def book(self, message: BookMessage, seat: int = 0) -> None:
        """Never run."""


def refusing_resolver(function: Any, parameters: Any, where: str) -> Any:
    """Refuse where a parameter has to be provided."""

    @asynccontextmanager
    async def resolve(consumer: Any, message: Any) -> AsyncGenerator[dict[str, Any]]:
        if parameters:
            refuse()
        yield {}

    return resolve if parameters else None


class InHook(InHandler):
    """Raises in a hook before the handler."""

    async def receive_message(self, message: BaseMessage) -> None:
        """Refuse to book."""
        if isinstance(message, BookMessage):
            refuse()
        await super().receive_message(message)


class InHandlerHookByHook(HookByHook, InHandler):
    """Raises in a handler, with hooks on the way."""


class Watching(Observer):
    """Remembers errors, and whether they are failures."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, bool]] = []

    def on_error(self, consumer: Any, error: Exception, message: BaseMessage | None) -> None:
        """Note it."""
        action = None if message is None else message.action
        self.seen.append((type(error).__name__, action, is_failure(consumer, error, message)))


class ErrorTests(Suite):
    """Application errors: exceptions that answer a message, and are no failures."""

    @pytest.mark.parametrize(
        "handlers",
        [InHandler, InGuard, InParameter, InHook, InHandlerHookByHook],
        ids=lambda it: it.__name__,
    )
    async def test_application_error_is_one_error_frame(
        self, handlers: Consumer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With code, text and extras under the reference; the log has a line without a traceback."""
        caplog.set_level(logging.DEBUG, "chanx")
        integration = self.base.spec.integration
        monkeypatch.setattr(integration, "parameter_resolver", refusing_resolver)
        async with self.connect(handlers, send_completion=True) as ws:
            await ws.send_message(BookMessage(), ref="1")
            frame = await ws.receive_json_from()
            assert frame == {"action": "error", "payload": [SOLD_OUT], "version": 1, "ref": "1"}
            if handlers is not InHook:  # a hook that raises ends the handling, completion included
                assert await ws.receive_json_from() == COMPLETE
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
        log = caplog.text
        assert "Application error" in log
        assert "Traceback" not in log

    async def test_application_error_of_an_event_reaches_the_client(self) -> None:
        """Without a reference, for the client did not ask; the next event is handled."""
        async with self.connect(InHandler) as ws:
            await ws.consumer.broadcast_event(NewsEvent(payload="bad"), "lobby")
            assert await ws.receive_json_from() == {"action": "error", "payload": [SOLD_OUT]}
            await ws.consumer.broadcast_event(NewsEvent(payload="good"), "lobby")
            assert (await ws.receive_json_from())["payload"]["user_name"] == "good"

    async def test_application_error_that_cannot_be_written_is_a_failure(self) -> None:
        """Extras are anybody's objects: one error frame, and the next message is handled."""

        class Unwritable(Basic):
            @ws_handler
            async def book(self, message: BookMessage) -> None:
                """Refuse with what JSON does not know."""
                raise MessageError("sold_out", "No seats left", seat=object())

        async with self.connect(Unwritable) as ws:
            await ws.send_message(BookMessage(), ref="1")
            frame = await ws.receive_json_from()
            assert (frame["ref"], frame["payload"]) == (
                "1",
                {"detail": "Failed to process message"},
            )
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_observers_tell_application_errors_from_failures(self) -> None:
        """Both are told, and `is_failure()` knows which is which."""

        class Refusing(Basic):
            @ws_handler
            async def book(self, message: BookMessage) -> None:
                """Refuse."""
                raise DeniedError

        watching = Watching()
        add_observer(watching)
        try:
            async with self.connect(Refusing) as ws:
                await ws.send_message(BookMessage())
                denied = await ws.receive_json_from()
                await ws.send_message(FailMessage(payload="x"))
                await ws.receive_json_from()
                await ws.send_to(text_data="no JSON")
                await ws.receive_json_from()
        finally:
            remove_observer(watching)
        assert denied["payload"] == [{"type": "permission_denied", "loc": [], "msg": "Not allowed"}]
        assert watching.seen == [
            ("DeniedError", "book", False),
            ("ValueError", "fail", True),
            ("ValidationError", None, False),
        ]
