"""What careless code and hostile clients must not be able to do."""

import asyncio
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Literal

import pytest
from pydantic import Field

from chanx.core import drain, open_connections
from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.guards import Guard
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import HeartbeatMessage, PongMessage
from chanx.type_defs import GroupMessageEvent, Scope
from chanx_conformance.consumers import Answering
from chanx_conformance.models import FailMessage, SayMessage
from chanx_conformance.suite import Consumer, Suite

__all__ = ["AttackTests"]

tenant: ContextVar[str] = ContextVar("tenant", default="nobody")


class Panic(BaseException):
    """What extensions in other languages raise when they fail: no Exception."""


class TenantMessage(BaseMessage):
    """Asks for the tenant in force, or sets it first."""

    action: Literal["tenant"] = "tenant"
    payload: str = ""
    waits: bool = False


class ItemsMessage(BaseMessage):
    """Has collections that could be wrong in many ways."""

    action: Literal["items"] = "items"
    payload: Sequence[dict[str, int | list[int]]] = ()
    others: Mapping[str, dict[str, int | list[int]]] = Field(default_factory=dict)


class WhoEvent(BaseMessage):
    """Asks every member for its tenant."""

    action: Literal["who"] = "who"
    payload: str = ""


class Open(Answering):
    """Does what it is asked."""

    groups: list[str] = ["square"]  # noqa: RUF012 - the documented way to write it

    @ws_handler(output_type=SayMessage)
    async def say(self, message: SayMessage) -> None:
        """Say it to the group once the gate is open."""
        self.entered.set()
        await self.gate.wait()
        await self.broadcast_message(message)

    @ws_handler
    async def fail(self, message: FailMessage) -> PongMessage:
        """Raise."""
        self.entered.set()
        await self.gate.wait()
        await go_wrong(message.payload)
        return PongMessage()

    @ws_handler
    async def tenant(self, message: TenantMessage) -> TenantMessage:
        """Return the tenant that was in force, and set another."""
        found = tenant.get()
        if message.payload:
            tenant.set(message.payload)
        if message.waits:
            self.entered.set()
            await self.gate.wait()
        return TenantMessage(payload=found)

    @ws_handler
    async def items(self, message: ItemsMessage) -> PongMessage:
        """Take items."""
        return PongMessage()

    @event_handler
    async def who(self, event: WhoEvent) -> TenantMessage:
        """Return the tenant in force, and set another."""
        found = tenant.get()
        tenant.set("an event's")
        return TenantMessage(payload=found)


async def go_wrong(way: str) -> None:
    """Raise what no handler should."""
    match way:
        case "panic":
            raise Panic("secret")
        case "group":
            raise BaseExceptionGroup("secret", [Panic("secret")])
        case "cancelled":
            raise asyncio.CancelledError("secret")
        case "cancels itself":
            task = asyncio.current_task()
            assert task is not None
            task.cancel("secret")
            await asyncio.sleep(0)
        case _:
            raise ValueError("secret")


WAYS = ["panic", "group", "cancelled", "cancels itself"]


class AttackTests(Suite):
    """One connection, or several, attacked through the public door."""

    # Nothing of a connection outlives it

    async def test_last_word_of_a_connection_starts_nothing(self) -> None:
        """The first broadcast, and the first use of `channel_name`, may come when the connection has ended."""

        class Leaving(Open):
            async def disconnect(self, code: int) -> None:
                """Say goodbye, as the tutorials of Channels do."""
                await self.broadcast_message(SayMessage(payload="has left"))
                await self.channel_layer.group_discard("elsewhere", self.channel_name)

        async with self.connect(Open) as other:
            for _ in range(5):
                async with self.connect(Leaving):
                    pass
            for _ in range(5):
                assert (await other.receive_json_from())["payload"] == "has left"
            assert open_connections() == 1

    async def test_client_that_says_one_thing_and_leaves_starts_nothing(self) -> None:
        """Its handler broadcasts while the connection ends."""
        async with self.connect(Open) as other:
            ws = self.connect(Open)
            await ws.connect()
            await ws.send_message(SayMessage(payload="one thing"))
            await Open.entered.wait()
            leaving = asyncio.ensure_future(ws.disconnect())
            for _ in range(10):
                await asyncio.sleep(0)
            Open.gate.set()
            await leaving
            heard = await other.receive_json_from()
            assert (heard["payload"], heard["is_current"]) == ("one thing", False)

    async def test_background_task_may_outlive_its_connection(self) -> None:
        """What it broadcasts is heard; it joins nothing, and names a channel that nobody listens to."""

        class Starting(Open):
            async def post_authentication(self) -> None:
                """Start a task."""
                self.handled.append(asyncio.create_task(self.later()))

            async def later(self) -> None:
                """Speak when the gate is open."""
                await self.gate.wait()
                await self.broadcast_message(SayMessage(payload="later"), "square")
                await self.join_group("elsewhere")
                assert self.channel_name

        async with self.connect(Open) as other:
            async with self.connect(Starting):
                pass
            Open.gate.set()
            assert (await other.receive_json_from())["payload"] == "later"
            async with asyncio.timeout(10):
                await asyncio.gather(*Open.handled)

    # No context of one message or connection reaches another

    def of(self, name: str, handlers: Consumer = Open, **options: Any) -> Any:
        """Make a connection whose middleware sets the tenant."""
        ws = self.connect(handlers, **options)
        application = ws.application

        async def middleware(scope: Scope, receive: Any, send: Any) -> None:
            tenant.set(name)
            await application(scope, receive, send)

        ws.application = middleware
        return ws

    @pytest.mark.parametrize("overrides", [False, True])
    async def test_event_is_handled_in_the_context_of_its_connection(self, overrides: bool) -> None:
        """Not in that of whoever joined the group first in this process, nor in that of the event before."""

        class Passing(Open):
            async def handle_group_message(self, event: GroupMessageEvent) -> None:
                """Say whose context this is."""
                await self.send_message(TenantMessage(payload=tenant.get()))
                tenant.set("a message's")

        async with self.of("ada", Passing) as ada, self.of("bob", Passing) as bob:
            for _ in range(3):
                if overrides:
                    await ada.send_message(SayMessage(payload="x"))
                    Open.gate.set()
                else:
                    await ada.consumer.broadcast_event(WhoEvent(), "square")
                for ws, name in ((ada, "ada"), (bob, "bob")):
                    assert (await ws.receive_json_from())["payload"] == name

    @pytest.mark.parametrize("waits", [False, True])
    async def test_context_variable_of_one_message_does_not_reach_the_next(
        self, waits: bool
    ) -> None:
        """Whether it came alone or waited behind another."""
        async with self.of("ada") as ws:
            await ws.send_message(TenantMessage(payload="first", waits=waits))
            for number in range(5):
                await ws.send_message(TenantMessage(payload=f"{number}"))
            Open.gate.set()
            found = [(await ws.receive_json_from())["payload"] for _ in range(6)]
            await ws.consumer.broadcast_event(WhoEvent(), "square")
            assert (await ws.receive_json_from())["payload"] == "ada"
        assert found == ["ada"] * 6

    async def test_what_the_hooks_of_the_handshake_set_is_the_connections(self) -> None:
        """Messages and events find what `post_authentication()` has set, also those that were early."""

        class Greeting(Open):
            async def post_authentication(self) -> None:
                """Find out for whom the connection is."""
                await self.gate.wait()
                tenant.set("found out")

        ws = self.of("middleware", Greeting)
        await ws.connect()
        await ws.send_message(TenantMessage())
        Open.gate.set()
        assert (await ws.receive_json_from())["payload"] == "found out"
        await ws.send_message(TenantMessage())
        assert (await ws.receive_json_from())["payload"] == "found out"
        await ws.consumer.broadcast_event(WhoEvent(), "square")
        assert (await ws.receive_json_from())["payload"] == "found out"
        await ws.disconnect()

    # Who says no keeps out

    async def test_guard_that_answers_false_refuses(self) -> None:
        """As a permission class would: a guard may raise, or say False."""

        class No(Guard):
            async def check(self, consumer: Any, message: BaseMessage) -> Any:
                """Say no."""
                return False

        class Guarded(Open):
            @ws_handler(guards=[No()])
            async def ping(self, message: PingMessage) -> PongMessage:
                """Never run."""
                return PongMessage()

        async with self.connect(Guarded) as ws:
            await ws.send_message(PingMessage())
            (error,) = (await ws.receive_json_from())["payload"]
            assert error["type"] == "permission_denied"

    async def test_authenticator_that_forgets_to_await_lets_nobody_in(self) -> None:
        """A coroutine is true whatever it would say."""

        class Forgetful(BaseAuthenticator):
            async def authenticate(self, scope: Any) -> bool:
                """Forget `await`."""
                answer: Any = self.look_up()
                return bool(answer) if answer is None else answer

            async def look_up(self) -> bool:
                """Say no."""
                return False

        ws = self.connect(Open, authenticator_class=Forgetful)
        await ws.connect()
        await ws.assert_closed(4500)
        await ws.wait()

    # Whatever user code raises ends one message, or one connection

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.parametrize(
        "hook", ["connect", "authenticate", "get_groups", "post_authentication"]
    )
    async def test_hook_of_the_handshake_that_goes_wrong_closes(
        self, hook: str, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """With a code, a word in the log, and no membership left; the client does not wait for ever."""

        async def fail(*args: Any) -> Any:
            await go_wrong(way)

        class Hasty(BaseAuthenticator):
            async def authenticate(self, scope: Any) -> bool:
                """Go wrong."""
                await go_wrong(way)
                return True

        options: dict[str, Any] = (
            {"authenticator_class": Hasty} if hook == "authenticate" else {hook: fail}
        )
        ws = self.connect(Open, **options)
        accepted, code = await ws.connect()
        if hook == "connect":
            assert (accepted, code) == (False, 1011)
        else:
            await ws.assert_closed(4500 if hook == "authenticate" else 1011)
        await ws.wait()
        assert "User code raised" in caplog.text

    @pytest.mark.parametrize("way", WAYS)
    async def test_disconnect_that_goes_wrong_leaves_the_groups(self, way: str) -> None:
        """The rest of the end is not the hook's to spoil: `nothing_left` looks at the groups."""

        class Leaving(Open):
            async def disconnect(self, code: int) -> None:
                """Go wrong."""
                await go_wrong(way)

        for _ in range(3):
            async with self.connect(Leaving) as ws:
                await ws.send_message(PingMessage())
                await ws.receive_json_from()
        assert open_connections() == 0

    @pytest.mark.parametrize("concurrent", [False, True])
    @pytest.mark.parametrize("way", WAYS)
    async def test_handler_that_goes_wrong_is_answered_and_the_next_go_on(
        self, way: str, concurrent: bool
    ) -> None:
        """In their order, also where the line is full behind it."""
        limits = {"max_pending": 4, "message_concurrency": 2 if concurrent else 1}
        async with self.connect(Open, **limits) as ws:
            await ws.send_message(FailMessage(payload=way), ref="wrong")
            await Open.entered.wait()
            Open.gate.set()
            for number in range(20):
                await ws.send_message(TenantMessage(), ref=str(number))
            frames = [await ws.receive_json_from() for _ in range(21)]
        assert "secret" not in str(frames)
        (error,) = [frame for frame in frames if frame["ref"] == "wrong"]
        assert error["payload"] == {"detail": "Failed to process message for fail"}
        if not concurrent:
            assert [frame["ref"] for frame in frames[1:]] == [str(number) for number in range(20)]

    @pytest.mark.parametrize("way", WAYS)
    async def test_event_handler_that_goes_wrong_spoils_no_later_event(self, way: str) -> None:
        """It is logged, and the next one is handled."""

        class Fragile(Open):
            @event_handler
            async def who(self, event: WhoEvent) -> TenantMessage:
                """Go wrong, or not."""
                if event.payload:
                    await go_wrong(event.payload)
                return TenantMessage(payload="fine")

        async with self.connect(Fragile) as ws:
            for payload in (way, way, ""):
                await ws.consumer.broadcast_event(WhoEvent(payload=payload), "square")
            assert (await ws.receive_json_from())["payload"] == "fine"
            await ws.assert_nothing()

    async def test_event_handler_has_a_time_limit(self, caplog: pytest.LogCaptureFixture) -> None:
        """`handler_timeout` holds for events too: the next one is handled."""

        class Slow(Open):
            @event_handler
            async def who(self, event: WhoEvent) -> TenantMessage:
                """Take for ever, or not."""
                if event.payload:
                    await asyncio.Event().wait()
                return TenantMessage(payload="fine")

        async with self.connect(Slow, handler_timeout=0.05) as ws:
            await ws.consumer.broadcast_event(WhoEvent(payload="slow"), "square")
            await ws.consumer.broadcast_event(WhoEvent(), "square")
            assert (await ws.receive_json_from())["payload"] == "fine"
        assert "Failed to process event" in caplog.text

    # Ends are bounded

    async def test_handler_that_ignores_its_cancellation_is_left_behind(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """`drain()` and the end of the connection do not wait for it longer than the grace, twice."""

        class Stubborn(Open):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Go on, whatever is asked."""
                self.entered.set()
                while not self.gate.is_set():
                    try:
                        await self.gate.wait()
                    except asyncio.CancelledError:
                        continue
                return PongMessage()

        ws = self.connect(Stubborn, shutdown_grace=0.05, disconnect_grace=0.05)
        await ws.connect()
        await ws.send_message(PingMessage())
        await Open.entered.wait()
        async with asyncio.timeout(10):
            await drain()
        await ws.assert_closed(1012)
        await ws.wait(10)
        assert open_connections() == 0
        assert "ignores its cancellation" in caplog.text
        Open.gate.set()

    async def test_newcomers_during_a_drain_are_refused(self) -> None:
        """Before the handshake is accepted, with 1012: the next server will take them."""
        async with self.connect(Open) as ws:
            await ws.send_message(SayMessage(payload="x"))
            await Open.entered.wait()
            draining = asyncio.ensure_future(drain())
            await asyncio.sleep(0)
            newcomer = self.connect(Open)
            assert await newcomer.connect() == (False, 1012)
            await newcomer.wait()
            Open.gate.set()
            await draining
        async with self.connect(Open) as later:
            await later.send_message(PingMessage())
            assert (await later.receive_json_from())["action"] == "pong"

    async def test_cancelled_end_is_an_end(self) -> None:
        """A server that cancels the application twice, in the middle of its end, leaves nothing in the registry."""

        class Slow(Open):
            async def disconnect(self, code: int) -> None:
                """Take a while."""
                self.entered.set()
                await self.gate.wait()

        ws = self.connect(Slow)
        await ws.connect()
        await ws.idle()
        ws.stop()
        await Open.entered.wait()
        ws.stop()
        for _ in range(10):
            await asyncio.sleep(0)
        Open.gate.set()
        async with asyncio.timeout(10):
            while open_connections():  # noqa: ASYNC110 - nobody waits for this end any more
                await asyncio.sleep(0)

    async def test_long_reason_is_cut(self) -> None:
        """A close frame has room for 123 bytes, and no half a character."""

        class Wordy(Open):
            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Close with many words."""
                await self.close(4000, "ä" * 100)
                return PongMessage()

        ws = self.connect(Wordy)
        await ws.connect()
        await ws.send_message(PingMessage())
        event = await ws.receive_output()
        assert event["reason"] == "ä" * 61
        await ws.wait()

    # What a client may cost

    async def test_client_that_is_not_known_yet_may_send_little(self) -> None:
        """While it authenticates, one message of the largest size waits in all, and one is read after it."""
        taken: list[int] = []

        class Slow(BaseAuthenticator):
            async def authenticate(self, scope: Any) -> bool:
                """Wait for the gate."""
                await Open.gate.wait()
                return True

        text = '{"action":"say","payload":"' + "x" * 30_000 + '"}'
        ws = self.connect(Open, authenticator_class=Slow)
        await ws.connect()
        for _ in range(20):
            await ws.send_to(text_data=text)
        for _ in range(50):
            await asyncio.sleep(0)
        taken.append(20 - ws.input_queue.qsize())
        assert taken[0] <= 4
        Open.gate.set()
        for _ in range(20):
            assert len((await ws.receive_json_from())["payload"]) == 30_000
        await ws.disconnect()

    async def test_lone_surrogate_with_a_concurrent_handler(self) -> None:
        """It is refused like any frame that is no JSON, and the connection goes on."""

        class Concurrent(Open):
            @ws_handler(concurrent=True)
            async def ping(self, message: PingMessage) -> PongMessage:
                """Answer."""
                return PongMessage()

        async with self.connect(Concurrent) as ws:
            await ws.send_to(text_data='{"action":"ping","payload":"\ud800"}')
            (error,) = (await ws.receive_json_from())["payload"]
            assert error["type"] == "json_invalid"
            await ws.send_message(PingMessage())
            assert (await ws.receive_json_from())["action"] == "pong"

    @pytest.mark.parametrize(
        "text",
        [
            '{"action":"items","payload":[' + ",".join(["{}", *['{"a":{}}'] * 5000]) + "]}",
            '{"action":"items","others":{'
            + ",".join(f'"{number}":{{"a":{{}}}}' for number in range(2000))
            + "}}",
        ],
        ids=["list", "dictionary"],
    )
    async def test_large_invalid_message_is_checked_to_its_first_error(self, text: str) -> None:
        """A union in a collection has several errors for each item; they are not all looked for."""
        async with self.connect(Open) as ws:
            await ws.send_to(text_data=text)
            errors = (await ws.receive_json_from())["payload"]
            assert {error["type"] for error in errors} == {"int_type", "list_type"}
            assert len(errors) == 2
            await ws.send_to(text_data=text.replace('{"a":{}}', '{"a":[1]}'))
            assert (await ws.receive_json_from())["action"] == "pong"

    async def test_busy_connection_gives_others_a_turn(self) -> None:
        """Handlers that never wait are counted by the time they take, not by their number."""
        handled: list[str] = []

        class Busy(Open):
            @ws_handler
            async def say(self, message: SayMessage) -> None:
                """Take time without waiting."""
                handled.append("busy")
                end = asyncio.get_running_loop().time() + 0.002
                while asyncio.get_running_loop().time() < end:
                    pass

            @ws_handler
            async def ping(self, message: PingMessage) -> PongMessage:
                """Answer."""
                handled.append("ping")
                return PongMessage()

        async with self.connect(Busy) as busy, self.connect(Busy) as other:
            await busy.idle()
            await other.idle()
            for _ in range(30):
                await busy.send_message(SayMessage(payload=""))
            await other.send_message(PingMessage())
            await other.receive_json_from()
            await busy.idle(5)
        assert handled.index("ping") <= 5

    # Clients that are gone without a word

    @pytest.mark.parametrize(
        ("query", "options", "expected"),
        [
            ("", {}, False),
            ("?heartbeat=1", {}, True),
            ("?a=b&heartbeat=1", {}, True),
            ("?noheartbeat=1", {}, False),
            ("?heartbeat=1", {"heartbeat_interval": None}, False),
            ("", {"send_heartbeat": True}, True),
        ],
    )
    async def test_heartbeat(self, query: str, options: dict[str, Any], expected: bool) -> None:
        """For clients that ask, or for all of a class: a frame of the class's own wire format."""
        wanted = {"heartbeat_interval": 0.01, "discriminator_field": "kind", **options}
        ws = self.connect(Open, **wanted)
        ws.scope["query_string"] = query.removeprefix("?").encode()
        async with ws:
            if expected:
                for _ in range(3):
                    heartbeat = await ws.receive_json_from()
                    assert heartbeat == {"kind": "heartbeat", "payload": None}
            else:
                assert await ws.receive_nothing(0.05)
                await ws.assert_nothing()

    async def test_class_keeps_its_own_message_named_heartbeat(self) -> None:
        """It is documented and sent as before, and ours is not."""

        class Own(BaseMessage):
            action: Literal["heartbeat"] = "heartbeat"
            payload: int = 1

        class BeatMessage(BaseMessage):
            action: Literal["beat"] = "beat"
            payload: None = None

        class Beating(Open):
            @ws_handler
            async def beat(self, message: BeatMessage) -> Own:
                """Answer."""
                return Own()

        ws = self.connect(Beating, heartbeat_interval=0.01, send_heartbeat=True)
        async with ws:
            assert HeartbeatMessage not in ws.consumer.spec.outgoing_messages
            await ws.send_message(BeatMessage())
            assert await ws.receive_message() == Own()
            await ws.assert_nothing()
