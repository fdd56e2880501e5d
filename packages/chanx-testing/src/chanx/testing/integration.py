"""What every integration of chanx must do, written once.

An integration's own tests subclass `IntegrationSuite` with its consumer base class and a channel layer. Needs pytest
and pytest-asyncio (extra `pytest`).
"""

import asyncio
from abc import ABC
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Literal, cast

import pytest
from asgiref.sync import sync_to_async
from pydantic import BaseModel, Field
from pydantic_core import from_json

from chanx.constants import EVENT_ACTION_COMPLETE, GROUP_ACTION_COMPLETE
from chanx.core import _guard as _guard
from chanx.core import drain
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.guards import DeniedError, Guard
from chanx.core.probe import PROBE_KEY, ProbedConnection
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import AuthenticationMessage, AuthenticationPayload, PongMessage
from chanx.testing.communicator import WebsocketCommunicator
from chanx.testing.leaks import no_leaks
from chanx.testing.socket import ConnectionClosedError
from chanx.type_defs import JSONObject, Scope

__all__ = ["IntegrationSuite"]

Consumer = type[ChanxWebsocketConsumerMixin[Any]]
PONG: JSONObject = {"action": "pong", "payload": None}
COMPLETE: JSONObject = {"action": "complete", "payload": None}


class ChatPayload(BaseModel):
    """Text of a user."""

    user_name: str = Field(max_length=20)
    extra_data: dict[str, Any] = {}


class ChatMessage(BaseMessage):
    """Something said."""

    action: Literal["chat"] = "chat"
    payload: ChatPayload


class FailMessage(BaseMessage):
    """Asks a handler to go wrong in one of several ways."""

    action: Literal["fail"] = "fail"
    payload: str


class WaitMessage(BaseMessage):
    """Asks a handler to wait until the test lets it go on."""

    action: Literal["wait"] = "wait"
    payload: int


class NewsEvent(BaseMessage):
    """Something that the server has to tell."""

    action: Literal["news"] = "news"
    payload: str


class Basic(ChanxWebsocketConsumerMixin[NewsEvent]):
    """Handlers that most tests need."""

    groups = ["lobby"]  # noqa: RUF012 - the documented way to write it

    gate: ClassVar[asyncio.Event]
    handled: ClassVar[list[Any]]

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        self.handled.append("ping")
        return PongMessage()

    @ws_handler
    async def chat(self, message: ChatMessage) -> ChatMessage | None:
        """Say it back."""
        return message

    @ws_handler
    async def wait(self, message: WaitMessage) -> WaitMessage | None:
        """Answer when the gate opens."""
        self.handled.append(message.payload)
        await self.gate.wait()
        return message

    @ws_handler
    async def fail(self, message: FailMessage) -> PongMessage:
        """Go wrong."""
        match message.payload:
            case "cancelled":
                raise asyncio.CancelledError
            case "dict":
                return cast(PongMessage, {"action": "pong"})
            case "unserialisable":
                return PongMessage.model_construct(payload=cast(None, object()))
            case text:
                raise ValueError(f"secret {text}")

    @event_handler
    async def news(self, event: NewsEvent) -> ChatMessage:
        """Pass it on as chat."""
        if event.payload == "broken":
            raise ValueError("secret")
        return ChatMessage(payload=ChatPayload(user_name=event.payload))


class Broadcaster(Basic):
    """Sends what is said to everybody."""

    @ws_handler(output_type=ChatMessage)
    async def chat(self, message: ChatMessage) -> None:
        """Broadcast."""
        await self.broadcast_message(message, exclude_current=message.payload.user_name == "quiet")


class Overriding(Basic):
    """Overrides a hook on each stretch, without changing anything."""

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().receive_json(content, **kwargs)

    async def receive_message(self, message: BaseMessage) -> None:
        """Pass on."""
        await super().receive_message(message)

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Pass on."""
        await super().send_json(content, close)


class Telling(BaseAuthenticator, ABC):
    """Tells the client its decision."""

    async def tell(self, status: int) -> bool:
        """Send the authentication message, where the consumer wants it sent."""
        self.status_code = status
        assert self.consumer is not None
        if self.consumer.send_authentication_message:
            payload = AuthenticationPayload(status_code=status, status_text="told")
            await self.send_message(AuthenticationMessage(payload=payload))
        return status == 200


class Denies(Telling):
    """Lets nobody in, after a while."""

    async def authenticate(self, scope: Scope) -> bool:
        """Deny."""
        await asyncio.sleep(0.02)
        return await self.tell(403)


class Admits(Telling):
    """Lets everybody in, after a while."""

    async def authenticate(self, scope: Scope) -> bool:
        """Allow."""
        await asyncio.sleep(0.02)
        return await self.tell(200)


class Crashes(BaseAuthenticator):
    """Goes wrong."""

    async def authenticate(self, scope: Scope) -> bool:
        """Raise."""
        raise ValueError("secret")


class Hangs(BaseAuthenticator):
    """Never decides."""

    async def authenticate(self, scope: Scope) -> bool:
        """Wait for ever."""
        await asyncio.Event().wait()
        return True


# Frame, type and place of its error, whether the frame was a message at all (then a completion follows).
BAD_FRAMES: list[tuple[str, str, list[str], bool]] = [
    ("", "json_invalid", [], False),
    ("{bad", "json_invalid", [], False),
    ("nul", "json_invalid", [], False),
    ("\ufeff{}", "json_invalid", [], False),
    ("[]", "dict_type", [], False),
    ('[{"action":"ping"}]', "dict_type", [], False),
    ("7", "dict_type", [], False),
    ("null", "dict_type", [], False),
    ('"ping"', "dict_type", [], False),
    ("{}", "union_tag_not_found", [], True),
    ('{"action":"nope"}', "union_tag_invalid", [], True),
    ('{"action":[]}', "union_tag_invalid", [], True),
    ('{"action":{}}', "union_tag_invalid", [], True),
    ('{"action":5}', "union_tag_invalid", [], True),
    ('{"action":null}', "union_tag_invalid", [], True),
    ('{"action":""}', "union_tag_invalid", [], True),
    ('{"action":"chat"}', "missing", ["chat", "payload"], True),
    ('{"action":"chat","payload":3}', "dict_type", ["chat", "payload"], True),
    (
        '{"action":"chat","payload":{"user_name":7}}',
        "string_type",
        ["chat", "payload", "user_name"],
        True,
    ),
    ('{"action":"ping","ref":7}', "string_type", ["ref"], False),
    ('{"action":"ping","ref":"' + "x" * 65 + '"}', "string_too_long", ["ref"], False),
    ('{"action":"ping","version":2}', "literal_error", ["version"], False),
    ('{"action":"ping","version":"1"}', "literal_error", ["version"], False),
    ('{"action":"ping","x":NaN}', "json_invalid", [], False),
    ('{"action":"ping","x":-Infinity}', "json_invalid", [], False),
    ('{"action":"ping","x":1e999}', "json_invalid", [], False),
    ('{"action":"ping","x":"\\ud800"}', "json_invalid", [], False),
    ('{"action":"ping","x":' + "[" * 65 + "]" * 65 + "}", "too_deep", [], False),
    ('{"action":"ping","x":' + "[" * 5000 + "]" * 5000 + "}", "too_deep", [], False),
]


class IntegrationSuite:
    """The behaviour of one connection, through the public door."""

    base: ClassVar[Consumer]
    """The integration's consumer base class."""

    @pytest.fixture
    def layer(self) -> Any:
        """Register a channel layer under the alias `default`; integrations override this."""
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    async def nothing_left(self, layer: Any) -> AsyncGenerator[None]:
        """Check after every test that no task, connection or group member is left."""
        Basic.gate = asyncio.Event()
        Basic.handled = []
        async with no_leaks(layer):
            yield

    def make(self, handlers: Consumer, **options: Any) -> Consumer:
        """Put handlers onto the integration's base class."""
        return cast(Consumer, type(handlers.__name__, (handlers, self.base), options))

    def connect(
        self, handlers: Consumer = Basic, /, headers: Any = None, **options: Any
    ) -> WebsocketCommunicator:
        """Make a connection to a consumer with these options."""
        consumer = self.make(handlers, **{"log_websocket_message": False, **options})
        application: Any = consumer
        return WebsocketCommunicator(application.as_asgi(), "/ws", headers, consumer=consumer)

    # Messages

    async def test_message_is_routed_and_answered(self) -> None:
        """A message reaches the handler of its action; what that returns is sent back."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_completion_follows_every_message(self) -> None:
        """With completion on, the end of handling is told, after errors as well."""
        async with self.connect(send_completion=True) as ws:
            await ws.send_message(PingMessage())
            assert [await ws.receive_json_from() for _ in range(2)] == [PONG, COMPLETE]
            await ws.send_message(FailMessage(payload="x"))
            assert [(await ws.receive_json_from())["action"] for _ in range(2)] == [
                "error",
                "complete",
            ]

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize("completion", [False, True])
    async def test_ref_is_answered_by_exactly_one_terminal_frame(
        self, handlers: Consumer, completion: bool
    ) -> None:
        """Answer, error and empty answer: one frame under the reference says that it is over."""
        async with self.connect(handlers, send_completion=completion) as ws:
            await ws.send_message(PingMessage(), ref="7")
            assert await ws.receive_json_from() == {**PONG, "version": 1, "ref": "7"}
            if completion:
                assert await ws.receive_json_from() == {**COMPLETE, "version": 1, "ref": "7"}
            await ws.send_to(text_data='{"action":"nope","ref":"8"}')
            frame = await ws.receive_json_from()
            assert (frame["action"], frame["ref"]) == ("error", "8")
            if completion:
                assert await ws.receive_json_from() == COMPLETE
            await ws.send_message(FailMessage(payload="x"), ref="9")
            frame = await ws.receive_json_from()
            assert (frame["action"], frame["ref"]) == ("error", "9")

    async def test_silent_handler_completes_a_ref(self) -> None:
        """A handler that returns nothing is answered by `complete` where the client gave a reference."""
        async with self.connect(Broadcaster) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="quiet")), ref="1")
            assert await ws.receive_json_from() == {**COMPLETE, "version": 1, "ref": "1"}

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize(("frame", "kind", "loc", "is_message"), BAD_FRAMES)
    async def test_bad_frame_gets_one_error(
        self, handlers: Consumer, frame: str, kind: str, loc: list[str], is_message: bool
    ) -> None:
        """A bad frame is answered by one error frame that echoes nothing, and the connection goes on."""
        async with self.connect(handlers, send_completion=True) as ws:
            await ws.send_to(text_data=frame)
            error = await ws.receive_json_from()
            assert error["action"] == "error"
            assert [(item["type"], item["loc"]) for item in error["payload"]] == [(kind, loc)]
            assert "nope" not in str(error)
            if is_message:
                assert await ws.receive_json_from() == COMPLETE
            await ws.send_message(PingMessage())
            assert [await ws.receive_json_from() for _ in range(2)] == [PONG, COMPLETE]

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_binary_frame_gets_one_error(self, handlers: Consumer) -> None:
        """Binary frames are refused like what is not JSON."""
        async with self.connect(handlers) as ws:
            await ws.send_to(bytes_data=b"\x00\xff")
            error = await ws.receive_json_from()
            assert [item["type"] for item in error["payload"]] == ["json_invalid"]
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_many_errors_are_bounded(self) -> None:
        """An error frame lists ten errors at most, in 4 KiB at most."""

        class ManyMessage(BaseMessage):
            action: Literal["many"] = "many"
            payload: list[int]

        class Many(Basic):
            @ws_handler
            async def many(self, message: ManyMessage) -> None:
                """Take numbers."""

        async with self.connect(Many) as ws:
            await ws.send_to(
                text_data='{"action":"many","payload":[' + ",".join(['"x"'] * 5000) + "]}"
            )
            text = await ws.receive_from()
            assert len(text) <= 4096
            payload = ErrorFrame.model_validate_json(text).payload
            assert len(payload) == 11
            assert payload[-1] == {"type": "too_many_errors", "loc": [], "msg": "4990 more errors"}

    async def test_client_keys_are_not_echoed(self) -> None:
        """A location ends before the first key that the client chose."""

        class KeysMessage(BaseMessage):
            action: Literal["keys"] = "keys"
            payload: dict[str, int]

        class Keys(Basic):
            @ws_handler
            async def keys(self, message: KeysMessage) -> None:
                """Take numbers by name."""

        async with self.connect(Keys) as ws:
            await ws.send_to(text_data='{"action":"keys","payload":{"<script>":"x"}}')
            error = await ws.receive_json_from()
            assert error["payload"][0]["loc"] == ["keys", "payload"]

    @pytest.mark.parametrize("way", ["boom", "cancelled", "dict", "unserialisable"])
    async def test_handler_failure_tells_no_secret(self, way: str) -> None:
        """Whatever goes wrong in a handler, the client gets one error without its text, and goes on."""
        async with self.connect() as ws:
            await ws.send_message(FailMessage(payload=way), ref="1")
            text = await ws.receive_from()
            assert "secret" not in text
            assert '"detail":"Failed to process message for fail"' in text
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_too_large_frame_closes(self) -> None:
        """A frame over the limit closes with 1009."""
        async with self.connect(max_message_bytes=100) as ws:
            await ws.send_to(text_data=" " * 101)
            with pytest.raises(ConnectionClosedError) as closed:
                await ws.receive_from()
            assert closed.value.code == 1009

    # Hooks for what builds on the engine

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_guards_are_asked_before_each_message(self, handlers: Consumer) -> None:
        """A guard that denies is told by its code; one that fails keeps the message out as well."""

        class Only(Guard):
            async def check(self, consumer: Any, message: BaseMessage) -> None:
                """Let one name pass."""
                match message.payload.user_name:
                    case "ada":
                        pass
                    case "bob":
                        raise DeniedError("not_a_member", "Only members may speak")
                    case _:
                        raise ValueError("secret")

        class Guarded(handlers):  # type: ignore[misc, valid-type]
            @ws_handler(guards=[Only()])
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Say it back."""
                Basic.handled.append(message.payload.user_name)
                return message

        async with self.connect(Guarded) as ws:
            for name in ("ada", "bob", "eve"):
                await ws.send_message(ChatMessage(payload=ChatPayload(user_name=name)), ref=name)
            assert (await ws.receive_json_from())["action"] == "chat"
            denied = await ws.receive_json_from()
            assert denied["payload"] == [
                {"type": "not_a_member", "loc": [], "msg": "Only members may speak"}
            ]
            assert (await ws.receive_json_from())["payload"] == {
                "detail": "Failed to process message for chat"
            }
            assert Basic.handled == ["ada"]

    async def test_unknown_guard_and_parameter_are_refused(self) -> None:
        """Both at class creation, naming class and method."""

        async def handler(self: Any, message: PingMessage, session: str) -> None:
            """Ask for what nobody provides."""

        async def fine(self: Any, message: PingMessage, session: str = "") -> None:
            """Ask for nothing that is needed."""

        with pytest.raises(TypeError, match=r"Wrong\.ping\(\) has a parameter 'session'"):
            type("Wrong", (self.base,), {"ping": ws_handler(handler)})
        with pytest.raises(TypeError, match=r"'x' in the guards of Wrong\.ping\(\) is not a Guard"):
            type("Wrong", (self.base,), {"ping": ws_handler(fine, guards=["x"])})
        assert type("Right", (self.base,), {"ping": ws_handler(fine)}).__name__ == "Right"

    async def test_parameters_are_resolved_for_each_message(self) -> None:
        """An integration's resolver provides values and cleans up behind the handler."""
        log: list[str] = []

        class Resolving(Basic):
            @classmethod
            def parameter_resolver(cls, function: Any, parameters: Any, where: str) -> Any:
                """Provide a log under every name."""

                @asynccontextmanager
                async def resolve(consumer: Any, message: Any) -> AsyncGenerator[dict[str, Any]]:
                    log.append("open")
                    yield {parameter.name: log for parameter in parameters}
                    log.append("close")

                return resolve if parameters else None

            @ws_handler
            async def chat(
                self, message: ChatMessage, entries: list[str] | None = None
            ) -> ChatMessage:
                """Write into what was provided."""
                assert entries is log
                log.append(message.payload.user_name)
                return message

        async with self.connect(Resolving) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            await ws.send_message(PingMessage())
            assert (await ws.receive_json_from())["action"] == "chat"
            assert await ws.receive_json_from() == PONG
        assert log == ["open", "ada", "close"]

    async def test_probe_learns_the_connection(self) -> None:
        """What a test puts into the scope is told of the connection, which says whether it is idle."""
        probed: list[ProbedConnection] = []
        ws = self.connect()
        ws.scope[PROBE_KEY] = probed.append
        async with ws:
            await ws.send_message(WaitMessage(payload=1))
            await _until(lambda: Basic.handled == [1])
            assert not probed[0].is_idle
            Basic.gate.set()
            await ws.receive_json_from()
            await _until(lambda: probed[0].is_idle)
        assert not probed[0].is_idle

    async def test_sync_twins_send_from_threads(self) -> None:
        """The sync twins work from code that runs in threads of the application, repeatedly."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
            for number in range(3):
                event = NewsEvent(payload=str(number))
                await sync_to_async(ws.consumer.broadcast_event_sync)(event, "lobby")
                assert (await ws.receive_json_from())["payload"]["user_name"] == str(number)

    # Order

    async def test_messages_are_handled_in_order(self) -> None:
        """By default one message is handled at a time, and the next ones wait."""
        async with self.connect() as ws:
            for number in range(3):
                await ws.send_message(WaitMessage(payload=number))
            await _until(lambda: Basic.handled == [0])
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(3)] == [0, 1, 2]

    async def test_concurrency_lets_several_run(self) -> None:
        """`message_concurrency` messages are handled at once."""
        async with self.connect(message_concurrency=2) as ws:
            for number in range(3):
                await ws.send_message(WaitMessage(payload=number))
            await _until(lambda: Basic.handled == [0, 1])
            Basic.gate.set()
            assert {(await ws.receive_json_from())["payload"] for _ in range(3)} == {0, 1, 2}

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_concurrent_handler_does_not_wait(self, handlers: Consumer) -> None:
        """A handler that is marked `concurrent` runs beside the one that is waiting."""

        class Urgent(handlers):  # type: ignore[misc, valid-type]
            @ws_handler(concurrent=True)
            async def ping(self, message: PingMessage) -> PongMessage:
                """Answer at once."""
                return PongMessage()

        async with self.connect(Urgent) as ws:
            await ws.send_message(WaitMessage(payload=1), ref="slow")
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            await ws.send_message(PingMessage(), ref="urgent")
            assert (await ws.receive_json_from())["ref"] == "urgent"
            Basic.gate.set()
            assert (await ws.receive_json_from())["ref"] == "slow"
            assert (await ws.receive_json_from())["action"] == "chat"

    async def test_concurrent_handlers_are_bounded(self) -> None:
        """Never more than `max_in_flight` run, and `max_pending` wait, whatever they are."""

        class Eager(Basic):
            @ws_handler(concurrent=True)
            async def wait(self, message: WaitMessage) -> WaitMessage | None:
                """Wait."""
                return await super().wait(message)

        async with self.connect(Eager, max_in_flight=3, max_pending=2) as ws:
            for number in range(10):
                await ws.send_message(WaitMessage(payload=number))
            await _until(lambda: Basic.handled == [0, 1, 2])
            await _until(lambda: ws.input_queue.qsize() == 4)
            Basic.gate.set()
            numbers = [(await ws.receive_json_from())["payload"] for _ in range(10)]
            assert sorted(numbers) == list(range(10))

    async def test_handler_timeout_is_told(self) -> None:
        """A handler that takes too long is cancelled; its client gets `timeout`, and goes on."""
        async with self.connect(handler_timeout=0.02) as ws:
            await ws.send_message(WaitMessage(payload=1), ref="1")
            frame = await ws.receive_json_from()
            assert (frame["ref"], frame["payload"][0]["type"]) == ("1", "timeout")
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_events_do_not_wait_for_messages(self) -> None:
        """While a handler runs, events and group messages go on."""
        async with self.connect(Basic) as ws:
            await ws.send_message(WaitMessage(payload=1))
            await ws.consumer.broadcast_event(NewsEvent(payload="now"))
            assert (await ws.receive_json_from())["payload"]["user_name"] == "now"
            Basic.gate.set()
            assert (await ws.receive_json_from())["action"] == "wait"

    async def test_reader_stops_at_the_bound(self) -> None:
        """With one message running and the line full, the socket is not read."""
        async with self.connect(max_pending=2) as ws:
            for number in range(10):
                await ws.send_message(WaitMessage(payload=number))
            await _until(lambda: ws.input_queue.qsize() <= 6)
            assert ws.input_queue.qsize() == 6  # one running, two waiting, one in the reader's hand
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(10)] == list(range(10))

    async def test_held_frames_leave_together(self) -> None:
        """Without `send_message_immediately`, what one message produces leaves when its handling ends."""

        class Several(Basic):
            @ws_handler(output_type=WaitMessage)
            async def wait(self, message: WaitMessage) -> None:
                """Send twice around the gate."""
                await self.send_message(message)
                self.handled.append(message.payload)
                await self.gate.wait()
                await self.send_message(message)

        async with self.connect(Several, send_message_immediately=False) as ws:
            await ws.send_message(WaitMessage(payload=1))
            await _until(lambda: Basic.handled == [1])
            assert ws.output_queue.empty()
            Basic.gate.set()
            assert [(await ws.receive_json_from())["payload"] for _ in range(2)] == [1, 1]

    # Groups and events

    async def test_broadcast_reaches_members_with_is_current(self) -> None:
        """Every member receives the message; only the sender's says so."""
        async with self.connect(Broadcaster) as ada, self.connect(Broadcaster) as bob:
            await ada.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            own, other = await ada.receive_json_from(), await bob.receive_json_from()
            assert own == {**other, "is_current": True}
            assert other["is_current"] is False
            assert other["payload"] == {"user_name": "ada", "extra_data": {}}

    async def test_exclude_current_spares_the_sender(self) -> None:
        """The sender can be left out."""
        async with self.connect(Broadcaster) as ada, self.connect(Broadcaster) as bob:
            await ada.send_message(ChatMessage(payload=ChatPayload(user_name="quiet")))
            assert (await bob.receive_json_from())["is_current"] is False
            await ada.send_message(PingMessage())
            assert await ada.receive_json_from() == PONG

    async def test_metadata_can_be_turned_off(self) -> None:
        """`group_message_metadata = False` sends the message as it is."""
        async with self.connect(Broadcaster, group_message_metadata=False) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            assert "is_current" not in await ws.receive_json_from()

    async def test_group_completion(self) -> None:
        """With completion on, each group message and event is followed by its own kind."""
        async with self.connect(Broadcaster, send_completion=True) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            messages = await ws.receive_all_messages(stop_action=GROUP_ACTION_COMPLETE)
            assert [message.action for message in messages] == ["chat"]
            await ws.consumer.broadcast_event(NewsEvent(payload="x"))
            messages = await ws.receive_all_messages(stop_action=EVENT_ACTION_COMPLETE)
            assert [message.action for message in messages] == ["chat"]

    async def test_groups_by_hook_and_by_hand(self) -> None:
        """Groups from `get_groups()`, `extra_groups` and `join_group()` are joined, and left by `leave_group()`."""

        class Grouped(Broadcaster):
            extra_groups = ("extra",)

            async def get_groups(self) -> list[str]:
                """Name a group."""
                return ["hooked"]

            async def post_authentication(self) -> None:
                """Join and leave by hand."""
                await self.join_group("by-hand")
                await self.leave_group("lobby")

        async with self.connect(Grouped) as ws:
            for group in ("extra", "hooked", "by-hand", "lobby"):
                await ws.consumer.broadcast_event(NewsEvent(payload=group), group)
            names = [(await ws.receive_json_from())["payload"]["user_name"] for _ in range(3)]
            assert names == ["extra", "hooked", "by-hand"]

    async def test_group_joined_on_the_layer_is_left(self) -> None:
        """The documented way to join by hand, on the layer itself, leaves nothing behind either."""

        class ByHand(Broadcaster):
            async def post_authentication(self) -> None:
                """Join on the layer."""
                await self.channel_layer.group_add("room_x", self.channel_name)
                self.groups.append("room_x")

        async with self.connect(ByHand) as ws:
            await ws.consumer.broadcast_event(NewsEvent(payload="x"), "room_x")
            assert (await ws.receive_json_from())["payload"]["user_name"] == "x"

    async def test_event_reaches_one_channel(self) -> None:
        """`send_event()` reaches the one connection that listens on the channel."""
        names: list[str] = []

        class Named(Basic):
            async def post_authentication(self) -> None:
                """Tell the test."""
                names.append(self.channel_name)

        async with self.connect(Named) as ada, self.connect(Named):
            await ada.send_message(PingMessage())
            await ada.receive_json_from()
            await ada.consumer.send_event(NewsEvent(payload="ada"), names[0])
            assert (await ada.receive_json_from())["payload"]["user_name"] == "ada"

    @pytest.mark.parametrize(
        "event",
        [
            {"type": "handle_channel_event", "event_data": {"action": "news", "payload": "broken"}},
            {"type": "handle_channel_event", "event_data": {"action": "nope"}},
            {"type": "handle_channel_event"},
            {"type": "handle_group_message"},
            {"type": "close"},
            {"type": "websocket.disconnect", "code": 1},
            {"type": "_private"},
        ],
    )
    async def test_bad_layer_message_harms_nobody(self, layer: Any, event: JSONObject) -> None:
        """A layer message that cannot be handled is logged; only the documented types are dispatched."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
            await layer.group_send("lobby", event)
            await ws.consumer.broadcast_event(NewsEvent(payload="still here"))
            assert (await ws.receive_json_from())["payload"]["user_name"] == "still here"

    # Who may connect

    async def test_admitted_client_is_served_in_order(self) -> None:
        """Frames that came while authentication was pending are handled after it, in order."""
        async with self.connect(authenticator_class=Admits) as ws:
            await ws.send_message(PingMessage())
            await ws.send_message(WaitMessage(payload=1))
            Basic.gate.set()
            frames = [await ws.receive_json_from() for _ in range(3)]
            assert [frame["action"] for frame in frames] == ["authentication", "pong", "wait"]

    async def test_denied_client_reaches_no_handler(self) -> None:
        """After a denial the reason and the code are sent, and nothing that the client sent is handled."""
        ws = self.connect(authenticator_class=Denies)
        await ws.connect()
        for _ in range(5):
            await ws.send_message(PingMessage())
        assert (await ws.receive_json_from())["payload"]["status_code"] == 403
        await ws.assert_closed(4403)
        await ws.wait()
        assert Basic.handled == []

    async def test_authenticator_reads_the_options_of_its_consumer(self) -> None:
        """It is given the consumer before it is asked."""
        ws = self.connect(authenticator_class=Denies, send_authentication_message=False)
        await ws.connect()
        await ws.assert_closed(4403)
        await ws.wait()

    @pytest.mark.parametrize(("authenticator", "code"), [(Crashes, 4500), (Hangs, 4408)])
    async def test_failing_authenticator_closes(
        self, authenticator: type[BaseAuthenticator], code: int
    ) -> None:
        """A crash closes with 4500, a time-out with 4408; the client learns nothing else."""
        ws = self.connect(authenticator_class=authenticator, authentication_timeout=0.05)
        await ws.connect()
        await ws.assert_closed(code)
        await ws.wait()

    async def test_client_that_leaves_ends_authentication(self) -> None:
        """A pending authenticator ends with its client."""
        ws = self.connect(authenticator_class=Hangs)
        await ws.connect()
        await ws.disconnect(timeout=1)

    async def test_denial_before_accept(self) -> None:
        """`authenticate_before_accept` refuses the handshake itself."""
        ws = self.connect(authenticator_class=Denies, authenticate_before_accept=True)
        accepted, code = await ws.connect()
        assert (accepted, code) == (False, 4403)
        await ws.wait()

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            (None, True),
            ("http://testserver", True),
            ("https://testserver", True),
            ("http://evil-testserver", False),
            ("http://testserver.evil", False),
            ("null", False),
            ("http://[", False),
        ],
    )
    async def test_origin(self, origin: str | None, allowed: bool) -> None:
        """Pages of other hosts are refused before the handshake is accepted; programs without Origin are not."""
        headers = [(b"host", b"testserver")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        ws = self.connect(headers=headers)
        accepted, _ = await ws.connect()
        assert accepted is allowed
        await ws.disconnect()

    async def test_origin_patterns(self) -> None:
        """`allowed_origins` takes patterns, and None for everybody."""
        headers = [(b"host", b"testserver"), (b"origin", b"https://app.example.com")]
        for policy, allowed in (
            (["https://*.example.com"], True),
            (["https://example.com"], False),
            (None, True),
        ):
            ws = self.connect(headers=headers, allowed_origins=policy)
            assert (await ws.connect())[0] is allowed
            await ws.disconnect()

    async def test_connect_accepts_as_it_likes(self) -> None:
        """An overridden `connect()` accepts in place of the library: with a subprotocol, headers, and what it sends."""

        class Choosing(Basic):
            async def connect(self) -> None:
                """Choose, and greet."""
                await self.accept("chat.v2", [(b"x-room", b"lobby")])
                await self.send_message(PongMessage())

        ws = self.connect(Choosing, authenticator_class=Admits)
        await ws.send_input({"type": "websocket.connect"})
        accepted = await ws.receive_output()
        assert accepted["subprotocol"] == "chat.v2"
        assert accepted["headers"] == [(b"x-room", b"lobby")]
        texts = [(await ws.receive_output())["text"] for _ in range(2)]
        assert [from_json(text)["action"] for text in texts] == ["pong", "authentication"]
        await ws.disconnect()

    @pytest.mark.parametrize("before_accept", [False, True])
    async def test_connect_may_refuse(self, before_accept: bool) -> None:
        """`close()` in it refuses the handshake, with its code; nothing that the client sent is handled."""
        codes: list[int] = []

        class Refusing(Basic):
            async def connect(self) -> None:
                """Refuse."""
                await self.close(4003)

            async def disconnect(self, code: int) -> None:
                """Note."""
                codes.append(code)

        ws = self.connect(Refusing, authenticate_before_accept=before_accept)
        assert await ws.connect() == (False, 4003)
        await ws.wait()
        assert Basic.handled == []
        assert codes == [4003]

    @pytest.mark.parametrize(
        ("errors", "accepted"), [("accept_errors", True), ("deny_errors", False)]
    )
    async def test_connect_may_raise_its_decision(self, errors: str, accepted: bool) -> None:
        """The framework's exceptions mean what they mean to it."""
        (error,) = getattr(self.base, errors)

        class Raising(Basic):
            async def connect(self) -> None:
                """Decide."""
                raise error

        ws = self.connect(Raising)
        assert (await ws.connect())[0] is accepted
        await ws.disconnect()

    async def test_connect_must_decide(self, capsys: pytest.CaptureFixture[str]) -> None:
        """One that returns without accepting or closing is refused, and the log says what to write."""

        class Undecided(Basic):
            async def connect(self) -> None:
                """Do nothing."""

        ws = self.connect(Undecided)
        assert await ws.connect() == (False, 1011)
        await ws.wait()
        assert "await self.accept() or await self.close()" in capsys.readouterr().out

    async def test_connect_may_join_groups_by_hand(self) -> None:
        """It knows the channel; what reaches the group before the client is let in waits."""

        class Joining(Broadcaster):
            async def connect(self) -> None:
                """Join on the layer, as the frameworks' tutorials do."""
                await self.channel_layer.group_add("room_y", self.channel_name)
                await self.accept()

            async def disconnect(self, code: int) -> None:
                """Leave."""
                await self.channel_layer.group_discard("room_y", self.channel_name)

        async with self.connect(Joining, authenticator_class=Admits) as ws:
            await ws.consumer.broadcast_event(NewsEvent(payload="early"), "room_y")
            frames = [await ws.receive_json_from() for _ in range(2)]
            assert [frame["action"] for frame in frames] == ["authentication", "chat"]
        denied = self.connect(Joining, authenticator_class=Denies)
        await denied.connect()
        await denied.receive_json_from()
        await denied.assert_closed(4403)
        await denied.wait()

    async def test_arguments_of_as_asgi_reach_each_instance(self) -> None:
        """`as_asgi(**initkwargs)` makes a consumer with these arguments for each connection."""

        class Configured(Basic):
            def __init__(self, *, answer: str, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.answer = answer

            @ws_handler
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Answer what was configured."""
                return ChatMessage(payload=ChatPayload(user_name=self.answer))

        consumer: Any = self.make(Configured)
        application = consumer.as_asgi(answer="configured")
        for _ in range(2):
            async with WebsocketCommunicator(application, "/ws", consumer=consumer) as ws:
                await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
                assert (await ws.receive_json_from())["payload"]["user_name"] == "configured"

    async def test_frames_by_hand(self) -> None:
        """`send()` takes text or bytes, and closes behind them; without either it is an error."""

        class Sending(Basic):
            @ws_handler
            async def chat(self, message: ChatMessage) -> None:
                """Send by hand."""
                with pytest.raises(ValueError, match="bytes_data or text_data"):
                    await self.send()
                await self.send(text_data="text")
                await self.send(bytes_data=b"bytes", close=True)

        ws = self.connect(Sending)
        await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
        assert await ws.receive_from() == "text"
        assert (await ws.receive_output())["bytes"] == b"bytes"
        closed = await ws.receive_output()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1000)
        assert type(closed["code"]) is int
        await ws.wait()

    async def test_failing_hook_closes(self) -> None:
        """An exception in `post_authentication()` closes with 1011 and leaves no member."""

        class Failing(Basic):
            async def post_authentication(self) -> None:
                """Fail."""
                raise ValueError("secret")

        ws = self.connect(Failing)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()

    # The end

    async def test_handler_may_close(self) -> None:
        """A handler that closes finishes; later messages are not handled."""

        class Closing(Basic):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Close and count."""
                await self.close(4000)
                self.handled.append("closed")
                return PongMessage()

        ws = self.connect(Closing)
        await ws.connect()
        for _ in range(3):
            await ws.send_message(PingMessage())
        await ws.assert_closed(4000)
        await ws.wait()
        assert Basic.handled == ["closed"]
        with pytest.raises(AssertionError, match="the application has ended"):
            await ws.receive_output()

    async def test_running_handler_ends_with_the_connection(self) -> None:
        """After the grace a handler that still runs is cancelled; one that can finish does."""
        ws = self.connect(disconnect_grace=0.05)
        await ws.connect()
        await ws.send_message(WaitMessage(payload=1))
        await _until(lambda: Basic.handled == [1])
        await ws.disconnect(timeout=1)

        ws = self.connect()
        await ws.connect()
        await ws.send_message(WaitMessage(payload=2))
        await ws.send_message(WaitMessage(payload=3))
        await _until(lambda: 2 in Basic.handled)
        leaving = asyncio.ensure_future(ws.disconnect(timeout=2))
        Basic.gate.set()
        await leaving
        assert Basic.handled == [1, 2, 3]

    async def test_hook_learns_the_close_code(self) -> None:
        """`disconnect()` runs once at the end, with the code; its exceptions are contained."""
        codes: list[int] = []

        class Leaving(Basic):
            async def disconnect(self, code: int) -> None:
                """Note and fail."""
                codes.append(code)
                raise ValueError("secret")

        ws = self.connect(Leaving)
        await ws.connect()
        await ws.disconnect(code=1001)
        assert codes == [1001]

    async def test_refused_client_does_not_leave(self) -> None:
        """`disconnect()` belongs to connections that were let in."""
        codes: list[int] = []

        class Leaving(Basic):
            async def disconnect(self, code: int) -> None:
                """Note."""
                codes.append(code)

        ws = self.connect(Leaving, authenticator_class=Denies)
        await ws.connect()
        await ws.receive_json_from()
        await ws.assert_closed(4403)
        await ws.wait()
        ws = self.connect(Leaving, headers=[(b"host", b"a"), (b"origin", b"http://b")])
        await ws.connect()
        await ws.disconnect()
        assert codes == []

    async def test_drain_finishes_and_says_restart(self) -> None:
        """`drain()` lets handlers end, then closes with 1012."""
        ws = self.connect()
        await ws.connect()
        await ws.send_message(WaitMessage(payload=1))
        await _until(lambda: Basic.handled == [1])
        draining = asyncio.ensure_future(drain())
        Basic.gate.set()
        assert (await ws.receive_json_from())["action"] == "wait"
        await ws.assert_closed(1012)
        await draining
        await ws.wait()

    # Options

    async def test_camel_case_translates_fields_only(self) -> None:
        """Field names travel in camel case; keys of the user's data stay as they are."""
        data = {"HTTPServer": 1, "A_B-c": {"sku-1_a": 2}}
        async with self.connect(camelize=True) as ws:
            await ws.send_message(
                ChatMessage(payload=ChatPayload(user_name="ada", extra_data=data))
            )
            frame = await ws.receive_json_from()
            assert frame == {"action": "chat", "payload": {"userName": "ada", "extraData": data}}

    async def test_camel_case_reads_both_spellings_but_not_at_once(self) -> None:
        """Either spelling is read; both in one object are an error, except among the user's own keys."""
        async with self.connect(camelize=True) as ws:
            await ws.send_to(text_data='{"action":"chat","payload":{"user_name":"ada"}}')
            assert (await ws.receive_json_from())["payload"]["userName"] == "ada"
            both = '"user_name":"ada","userName":"bob"'
            await ws.send_to(text_data=f'{{"action":"chat","payload":{{{both}}}}}')
            error = (await ws.receive_json_from())["payload"][0]
            assert (error["type"], error["loc"]) == ("key_collision", ["chat", "payload"])
            payload = f'{{"userName":"ada","extraData":{{{both}}}}}'
            await ws.send_to(text_data=f'{{"action":"chat","payload":{payload}}}')
            assert len((await ws.receive_json_from())["payload"]["extraData"]) == 2

    async def test_camel_case_in_groups(self) -> None:
        """Group messages are translated at the socket."""
        async with self.connect(Broadcaster, camelize=True) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            frame = await ws.receive_json_from()
            assert frame["payload"] == {"userName": "ada", "extraData": {}}
            assert frame["isCurrent"] is True

    @pytest.mark.parametrize("handlers", [Broadcaster, Basic])
    async def test_discriminator_field_renames_action(self, handlers: Consumer) -> None:
        """The key of `action` on the wire can be chosen, for every message."""
        async with self.connect(handlers, discriminator_field="kind", send_completion=True) as ws:
            await ws.send_to(text_data='{"kind":"ping","payload":null}')
            assert await ws.receive_json_from() == {"kind": "pong", "payload": None}
            assert await ws.receive_json_from() == {"kind": "complete", "payload": None}
            await ws.send_to(text_data='{"action":"ping","payload":null}')
            error = await ws.receive_json_from()
            assert (error["kind"], error["payload"][0]["type"]) == ("error", "union_tag_not_found")

    async def test_logging_writes_two_lines(self, capsys: pytest.CaptureFixture[str]) -> None:
        """With logging on, one message in and one out are logged, completions never."""
        async with self.connect(
            log_websocket_message=True, log_ignored_actions=(), send_completion=True
        ) as ws:
            capsys.readouterr()
            await ws.send_message(PingMessage())
            await ws.receive_all_messages()
            lines = capsys.readouterr().out.splitlines()
            assert ["Websocket received" in line for line in lines] == [True, False]
            assert ["Websocket sent" in line for line in lines] == [False, True]

    async def test_scope_is_the_same_everywhere(self) -> None:
        """`path_info`, `path_params` and `url_route` are there, whoever routed."""
        scopes: list[Scope] = []

        class Looking(Basic):
            async def post_authentication(self) -> None:
                """Note the scope."""
                scopes.append(self.scope)

        async with self.connect(Looking) as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
        assert scopes[0]["path_info"] == "/ws"
        assert scopes[0]["path_params"] == {}
        assert scopes[0]["url_route"]["kwargs"] == {}

    async def test_unregistered_alias_is_an_error_that_lists_the_others(self) -> None:
        """Only the default alias may have no layer; a written one has to exist."""
        ws = self.connect(channel_layer_alias="elsewhere")
        with pytest.raises(LookupError, match=r"'elsewhere'.*'default'"):
            await ws.connect()


class ErrorFrame(BaseModel):
    """An error frame."""

    payload: list[JSONObject]


async def _until(condition: Any) -> None:
    """Let the loop run until the condition holds, for a second at most."""
    async with asyncio.timeout(1):
        while not condition():  # noqa: ASYNC110 - handlers of the test have no event to set
            await asyncio.sleep(0)
