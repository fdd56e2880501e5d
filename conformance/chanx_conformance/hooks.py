"""Hooks that applications override, and options: the same on every integration."""

import asyncio
from typing import Any, Literal

import pytest
from pydantic import ValidationError

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import ErrorMessage, PongMessage
from chanx.type_defs import EventPayload, GroupMessageEvent, Scope
from chanx_conformance.consumers import Answering, Speaking
from chanx_conformance.models import COMPLETE, PONG, NewsEvent, SayMessage
from chanx_conformance.suite import Suite, until

__all__ = ["HookTests"]


class HiddenMessage(BaseMessage):
    """A message that no handler declares."""

    action: Literal["hidden"] = "hidden"
    payload: str = ""


class Sending(Speaking):
    """Sends in every way."""

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage | None:
        """Send in the way that the client asks for."""
        match message.payload:
            case "valid":
                await self.send_message(PongMessage(), validate=True)
            case "undeclared":
                with pytest.raises(ValidationError):
                    await self.send_message(HiddenMessage(), validate=True)
            case "close":
                await self.send_json({"action": "say", "payload": "bye"}, close=True)
            case "dictionary":
                await self.broadcast_message({"action": "say", "payload": "to all"})
            case "one":
                await self.broadcast_message(SayMessage(payload="to one"), "one")
            case "several":
                await self.broadcast_message(SayMessage(payload="to several"), ["one", "two"])
            case _:
                return await super().say(message)
        return None


class Telling(Sending):
    """Answers failures in its own words."""

    async def handle_json_processing_error(self, error: Exception) -> None:
        """Tell what failed outside of handlers."""
        await self.tell("processing", error)

    async def handle_message_handler_error(
        self, error: Exception, action: str, message: BaseMessage
    ) -> None:
        """Tell what failed in a handler."""
        await self.tell(f"handler of {action}, {message.payload}", error)

    async def handle_validation_error(self, error: ValidationError) -> None:
        """Tell what was no message."""
        await self.tell(f"validation, {error.errors()[0]['type']}", error)

    async def handle_event_handler_error(
        self, error: Exception, action: str, event: BaseMessage
    ) -> None:
        """Tell what failed in the handler of an event."""
        await self.tell(f"event {action}, {event.payload}", error)

    async def tell(self, what: str, error: Exception) -> None:
        """Send an error of one's own."""
        await self.send_message(ErrorMessage(payload={"told": what, "of": type(error).__name__}))


class Choosing(Telling):
    """Fails outside of its handlers."""

    async def receive_message(self, message: BaseMessage) -> None:
        """Fail."""
        raise LookupError("secret")


class PassingOn(Sending):
    """Overrides what takes messages from the channel layer, without changing anything."""

    async def handle_group_message(self, event: GroupMessageEvent) -> None:
        """Note it and pass it on."""
        self.handled.append(event["message"]["action"])
        await super().handle_group_message(event)

    async def handle_channel_event(self, event_payload: EventPayload) -> None:
        """Note it and pass it on."""
        self.handled.append(event_payload["event_data"]["action"])
        await super().handle_channel_event(event_payload)


class Deaf(Answering):
    """Is in the same group, and handles no events."""

    groups: list[str] = ["lobby"]  # noqa: RUF012 - the documented way to write it


class HookTests(Suite):
    """The behaviour of hooks and options, through the public door."""

    # Sending

    async def test_validated_message_is_sent(self) -> None:
        """`send_message(validate=True)` sends what the class declares, and refuses anything else."""
        async with self.connect(Sending) as ws:
            await ws.send_message(SayMessage(payload="valid"))
            assert await ws.receive_json_from() == PONG
            await ws.send_message(SayMessage(payload="undeclared"))
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_send_json_may_close(self) -> None:
        """`send_json(close=True)` closes behind the message, with 1000."""
        ws = self.connect(Sending)
        await ws.connect()
        await ws.send_message(SayMessage(payload="close"))
        assert (await ws.receive_json_from())["payload"] == "bye"
        await ws.assert_closed(1000)
        await ws.wait()

    async def test_broadcast_takes_dictionaries_and_groups(self) -> None:
        """A message or a dictionary, to the groups of the connection, to one, or to several."""

        class Other(Sending):
            groups = ["one"]  # noqa: RUF012 - the documented way to write it

        async with self.connect(Sending) as ws, self.connect(Other) as other:
            await ws.send_message(SayMessage(payload="dictionary"))
            own = {"action": "say", "payload": "to all", "is_current": True}
            assert await ws.receive_json_from() == own
            for payload in ("one", "several"):
                await ws.send_message(SayMessage(payload=payload))
                theirs = {"action": "say", "payload": f"to {payload}", "is_current": False}
                assert await other.receive_json_from() == theirs
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_event_reaches_several_groups(self) -> None:
        """`broadcast_event()` takes one group or several; who is in two of them hears it twice."""

        class Other(Sending):
            groups = ["one", "two"]  # noqa: RUF012 - the documented way to write it

        async with self.connect(Sending) as ws, self.connect(Other) as other:
            await ws.consumer.broadcast_event(NewsEvent(payload="new"), ["lobby", "one", "two"])
            assert (await ws.receive_json_from())["payload"] == "new"
            heard = [(await other.receive_json_from())["payload"] for _ in range(2)]
            assert heard == ["new", "new"]
            await ws.assert_nothing()

    async def test_sync_event_reaches_one_channel(self) -> None:
        """`send_event_sync()` works from a thread without a loop, as often as it is called."""
        channels: list[str] = []

        class Named(Sending):
            async def post_authentication(self) -> None:
                """Tell the channel."""
                channels.append(self.channel_name)

        async with self.connect(Named) as ws, self.connect(Sending) as other:
            await until(lambda: bool(channels))
            for payload in ("first", "second"):
                event = NewsEvent(payload=payload)
                await asyncio.to_thread(ws.consumer.send_event_sync, event, channels[0])
                assert (await ws.receive_json_from())["payload"] == payload
            await other.assert_nothing()

    async def test_options_of_an_event_handler(self) -> None:
        """`output_type` is among what the class may send, the rest describes it."""
        consumer = self.make(Sending)
        assert SayMessage in consumer.spec.outgoing_messages
        handler = consumer.spec.handlers.events["news"]
        assert (handler.summary, handler.description) == ("News", "What is new.")
        assert list(handler.tags or ()) == ["news"]
        async with self.connect(Sending) as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
            await consumer.broadcast_event(NewsEvent(payload="new"), "lobby")
            assert (await ws.receive_json_from())["payload"] == "new"

    @pytest.mark.parametrize("metadata", [True, False])
    async def test_what_the_layer_brings_passes_the_hooks(self, metadata: bool) -> None:
        """With `super()` in them, hooks for group messages and events change nothing."""
        options: dict[str, Any] = {"group_message_metadata": metadata, "send_completion": True}
        async with (
            self.connect(PassingOn, **options) as ws,
            self.connect(Sending, **options) as it,
        ):
            await ws.send_message(SayMessage(payload="dictionary"))
            own = [await ws.receive_json_from() for _ in range(3)]
            others = [await it.receive_json_from() for _ in range(2)]
            says = [frame for frame in own if frame["action"] == "say"] + others[:1]
            assert [frame.get("is_current") for frame in says] == (
                [True, False] if metadata else [None, None]
            )
            assert {frame["payload"] for frame in says} == {"to all"}
            assert others[1]["action"] == "group_complete"
            await ws.consumer.broadcast_event(NewsEvent(payload="new"), "lobby")
            assert [(await ws.receive_json_from())["action"] for _ in range(2)] == [
                (await it.receive_json_from())["action"] for _ in range(2)
            ]
        assert Sending.handled == ["say", "news"]

    async def test_event_that_nobody_handles_is_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A member without handlers for events goes on."""
        async with self.connect(Deaf) as ws, self.connect(Sending) as other:
            await other.consumer.broadcast_event(NewsEvent(payload="new"), "lobby")
            assert (await other.receive_json_from())["payload"] == "new"
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
        assert caplog.text.count("without event handlers") == 1

    # Failures in one's own words

    async def test_own_words_for_failures(self) -> None:
        """Each hook for failures is called in its place, and what it sends is the answer."""
        async with self.connect(Telling, send_completion=True) as ws:
            await ws.send_message(SayMessage(payload="fail"), ref="1")
            assert await ws.receive_json_from() == {
                "action": "error",
                "payload": {"told": "handler of say, fail", "of": "ValueError"},
                "version": 1,
                "ref": "1",
            }
            assert await ws.receive_json_from() == COMPLETE
            await ws.send_to(text_data='{"action":"say"}')
            told = {"told": "validation, missing", "of": "ValidationError"}
            assert (await ws.receive_json_from())["payload"] == told
            assert await ws.receive_json_from() == COMPLETE
            await ws.consumer.broadcast_event(NewsEvent(payload="fail"), "lobby")
            told = {"told": "event news, fail", "of": "ValueError"}
            assert (await ws.receive_json_from())["payload"] == told

    async def test_own_words_for_failures_outside_of_handlers(self) -> None:
        """What fails in another hook is told as well, under the reference."""
        async with self.connect(Choosing) as ws:
            await ws.send_message(PingMessage(), ref="1")
            answer = await ws.receive_json_from()
            assert answer["ref"] == "1"
            assert answer["payload"] == {"told": "processing", "of": "LookupError"}

    # Authenticating

    @pytest.mark.parametrize(
        ("path", "headers"),
        [("/ws?token=right", None), ("/ws", [(b"x-token", b"right")]), ("/ws?token=wrong", None)],
        ids=str,
    )
    async def test_authenticator_reads_the_scope(self, path: str, headers: Any) -> None:
        """The handshake's headers and query are there, and what a middleware has put beside them."""

        class Tokens(BaseAuthenticator):
            async def authenticate(self, scope: Scope) -> bool:
                """Look for the token, and for the name that the middleware knows."""
                tokens = {dict(scope["headers"]).get(b"x-token"), scope["query_string"][6:]}
                return b"right" in tokens and scope["user"] == "ada"

        consumer = self.make(Sending, authenticator_class=Tokens)
        served: Any = consumer

        async def known(scope: Scope, receive: Any, send: Any) -> None:
            await served.as_asgi()({**scope, "user": "ada"}, receive, send)

        ws = self.connect_to(consumer, path, headers, known)
        await ws.connect()
        if "wrong" in path:
            await ws.assert_closed(4401)
            await ws.wait()
        else:
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG
            await ws.disconnect()
