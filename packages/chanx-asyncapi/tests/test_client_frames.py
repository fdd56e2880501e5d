"""Generated clients in Python against a server that a test plays frame by frame."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from traceback import walk_tb
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from websockets.asyncio.server import ServerConnection, serve

from .client_app import import_client, write_client


class Played:
    """A server whose connections a test reads from and writes to."""

    def __init__(self) -> None:
        self.port = 0
        self._connections: asyncio.Queue[ServerConnection] = asyncio.Queue()

    async def handle(self, connection: ServerConnection) -> None:
        self._connections.put_nowait(connection)
        await connection.wait_closed()

    async def connection(self) -> "Wire":
        return Wire(await self._connections.get())


class Wire:
    """One connection, seen from the server."""

    def __init__(self, connection: ServerConnection) -> None:
        self.connection = connection

    async def frame(self, action: str) -> dict[str, Any]:
        """Return the next frame, which must have this action."""
        frame: dict[str, Any] = json.loads(await self.connection.recv())
        assert frame["action"] == action
        return frame

    async def send(self, action: str, payload: object = None, **envelope: object) -> None:
        await self.connection.send(json.dumps({"action": action, "payload": payload, **envelope}))

    async def pong(self) -> None:
        """Answer a ping, after which everything that was sent before has been received."""
        await self.send("pong", ref=(await self.frame("ping"))["ref"])

    async def abort(self) -> None:
        self.connection.transport.abort()
        await self.connection.wait_closed()


# Any: the classes of a package that is written while the tests run.
class Package:
    def __init__(self, folder: Path) -> None:
        write_client(folder)
        self.base: Any = import_client(folder, "base")
        self.client: Any = import_client(folder, "hub").HubClient
        self.messages: Any = import_client(folder, "hub.messages")
        self.policy: Any = import_client(folder, "base.policy")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return Package(tmp_path_factory.mktemp("played") / "played_client")


@pytest.fixture
async def server() -> AsyncIterator[Played]:
    played = Played()
    async with serve(played.handle, "127.0.0.1", 0) as serving:
        played.port = next(iter(serving.sockets)).getsockname()[1]
        yield played


@pytest.fixture
def errors() -> list[Exception]:
    return []


@pytest.fixture
def client(package: Package, server: Played, errors: list[Exception]) -> Any:
    generated: Any = package.client

    class Client(generated):  # type: ignore[misc] # written while the tests run
        async def on_error(self, error: Exception) -> None:
            errors.append(error)

    return Client(f"ws://127.0.0.1:{server.port}", params={"team": "a"})


async def subscribed(client: Any, wire: Wire, name: str = "lobby") -> Any:
    subscribing = asyncio.create_task(client.room_topic(name=name).subscribe())
    asked = await wire.frame("subscribe")
    await wire.send("subscribed", topic=asked["topic"], ref=asked["ref"])
    return await subscribing


async def settled(client: Any, wire: Wire) -> None:
    """Wait until the client has seen everything that was sent."""
    ping = asyncio.create_task(client.ping())
    await wire.pong()
    await ping


async def test_events_of_a_topic_that_was_given_up(
    client: Any, server: Played, errors: list[Exception]
) -> None:
    async with client:
        wire = await server.connection()
        room = await subscribed(client, wire)
        leaving = asyncio.create_task(room.unsubscribe())
        asked = await wire.frame("unsubscribe")
        await wire.send("line", {"text": "late"}, topic="room:lobby")
        await wire.send("unsubscribed", topic="room:lobby", ref=asked["ref"])
        await leaving
    assert errors == []


async def test_an_answer_of_a_topic_that_was_given_up(client: Any, server: Played) -> None:
    async with client:
        wire = await server.connection()
        room = await subscribed(client, wire)
        saying = asyncio.create_task(room.say(text="Hello"))
        said = await wire.frame("say")
        leaving = asyncio.create_task(room.unsubscribe())
        asked = await wire.frame("unsubscribe")
        await wire.send("said", 5, topic="room:lobby", ref=said["ref"])
        await wire.send("unsubscribed", topic="room:lobby", ref=asked["ref"])
        await leaving
        assert (await saying).payload == 5


async def test_a_frame_that_is_nested_too_deeply(
    package: Package, client: Any, server: Played, errors: list[Exception]
) -> None:
    async with client:
        wire = await server.connection()
        for frame in (
            '{"action":' + "[" * 100_000,
            b'{"action": 5, "\xc3\xbc": 1}',
            "\ud83d".encode("utf-8", "replace"),
        ):
            await wire.connection.send(frame)
        await settled(client, wire)
    assert [type(error) for error in errors] == [package.base.InvalidFrame] * 3
    assert vars(errors[1]) == {"text": '{"action": 5, "ü": 1}'}


async def test_a_refused_answer_to_a_question_of_the_server(
    package: Package, client: Any, server: Played, errors: list[Exception]
) -> None:
    problem: dict[str, object] = {"type": "missing", "loc": [], "msg": "Field required"}
    async with client:
        wire = await server.connection()
        await wire.send("error", [problem], ref="s.1")
        await settled(client, wire)
    assert [(type(error), str(error)) for error in errors] == [
        (package.base.AnswerError, "missing: Field required")
    ]


async def test_an_answer_to_a_question_of_a_lost_connection(
    package: Package, client: Any, server: Played
) -> None:
    """It would answer whatever the server asks under the same reference on the next connection."""
    approved = package.messages.ApprovedMessage
    verdict = approved.model_validate({"action": "approved", "payload": {"ok": True, "by": "Ada"}})
    asked, decides = asyncio.Event(), asyncio.Event()

    async def approve(message: Any) -> Any:
        asked.set()
        await decides.wait()
        return verdict

    client.on_approve(approve)
    async with client:
        wire = await server.connection()
        await wire.send("approve", "Deploy?", ref="s.1")
        await asked.wait()
        await wire.abort()
        wire = await server.connection()
        decides.set()
        await settled(client, wire)


async def test_a_call_that_is_made_again(client: Any, server: Played) -> None:
    async with client:
        wire = await server.connection()
        room = await subscribed(client, wire)
        saying = asyncio.create_task(client.retry(room.say, text="Hello"))
        for _ in range(2):
            said = await wire.frame("say")
            assert said["payload"] == {"text": "Hello"}
            await wire.abort()
            wire = await server.connection()
            asked = await wire.frame("subscribe")
            await wire.send("subscribed", topic="room:lobby", ref=asked["ref"])
        again = await wire.frame("say")
        await wire.send("said", 5, topic="room:lobby", ref=again["ref"])
        assert (await saying).payload == 5


async def test_a_call_is_made_again_for_lost_connections_alone(
    package: Package, client: Any, server: Played
) -> None:
    async def named(*, self: str, call: str) -> str:
        return self + call

    async with client:
        wire = await server.connection()
        assert await client.retry(named, self="a", call="b") == "ab"
        deploying = asyncio.create_task(client.retry(client.deploy))
        ref = (await wire.frame("deploy"))["ref"]
        await wire.send("error", {"detail": "broken"}, ref=ref)
        with pytest.raises(package.base.AnswerError):
            await deploying
        deploying = asyncio.create_task(client.retry(client.deploy))
        await wire.frame("deploy")
        await wire.connection.close(4404)
        with pytest.raises(package.base.ClientError) as caught:
            await deploying
    assert type(caught.value) is package.base.ConnectionClosed


async def test_a_mistake_in_the_options_ends_the_client(package: Package, server: Played) -> None:
    client = package.client(f"ws://127.0.0.1:{server.port}", params={"team": "a"}, no_option=True)
    with pytest.raises(package.base.ConnectionClosed, match="no_option"):
        async with asyncio.timeout(5), client:
            pass


async def test_a_call_that_is_cancelled_before_it_is_sent(client: Any, server: Played) -> None:
    waiting = asyncio.create_task(client.wait())
    pinging = asyncio.create_task(client.ping())
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting
    async with client:
        await (await server.connection()).pong()
        await pinging


async def test_items_that_come_after_a_stream_was_left(client: Any, server: Played) -> None:
    async with client:
        wire = await server.connection()
        async with client.count(items=9):
            ref = (await wire.frame("count"))["ref"]
            await wire.send("item", {"number": 1, "text": ""}, ref=ref, seq=1)
        await wire.frame("cancel")
        await wire.send("item", {"number": 2, "text": ""}, ref=ref, seq=2)
        await wire.send("error", {"detail": "cancelled"}, ref=ref)
        await wire.send("notice", "from the server")
        assert (await anext(client.messages())).payload == "from the server"


async def test_an_answer_that_comes_after_its_call_was_cancelled(
    client: Any, server: Played
) -> None:
    async with client:
        wire = await server.connection()
        call = asyncio.create_task(client.deploy())
        ref = (await wire.frame("deploy"))["ref"]
        call.cancel()
        with suppress(asyncio.CancelledError):
            await call
        await wire.send("deployed", "late", ref=ref)
        await wire.send("notice", "from the server")
        assert (await anext(client.messages())).payload == "from the server"


async def test_a_subscription_asked_for_without_a_connection(
    package: Package, client: Any, server: Played
) -> None:
    """It is asked for once on the next connection, and confirmed topics before it."""
    async with client:
        wire = await server.connection()
        await subscribed(client, wire, "first")
        lost = asyncio.create_task(client.wait())
        await wire.frame("wait")
        await wire.abort()
        with pytest.raises(package.base.ConnectionLost):
            await lost
        second = asyncio.create_task(client.room_topic(name="second").subscribe())
        wire = await server.connection()
        for name in ("first", "second"):
            asked = await wire.frame("subscribe")
            assert asked["topic"] == f"room:{name}"
            await wire.send("subscribed", topic=asked["topic"], ref=asked["ref"])
        await second
        await settled(client, wire)


async def test_a_slow_handler_goes_on_after_messages_were_dropped(
    package: Package, client: Any, server: Played, errors: list[Exception]
) -> None:
    handled: asyncio.Queue[str] = asyncio.Queue()

    collecting: Any = client.__class__

    class Slow(collecting):  # type: ignore[misc] # written while the tests run
        max_received = 2

        async def handle_message(self, message: Any) -> None:
            if message.payload == "1":
                await slow.ping()
            handled.put_nowait(message.payload)

    slow: Any = Slow(f"ws://127.0.0.1:{server.port}", params={"team": "a"})
    handling = asyncio.create_task(slow.handle())
    wire = await server.connection()
    await wire.send("notice", "1")
    ref = (await wire.frame("ping"))["ref"]
    for number in range(2, 5):
        await wire.send("notice", str(number))
    await wire.send("pong", ref=ref)
    assert [await handled.get() for _ in range(3)] == ["1", "3", "4"]
    assert [type(error) for error in errors] == [package.base.MessagesDropped]
    await slow.close()
    await handling


async def test_the_error_of_a_closed_client_keeps_no_frames(package: Package, client: Any) -> None:
    await client.close()
    seen: list[int] = []
    for _ in range(3):
        with pytest.raises(package.base.ConnectionClosed) as caught:
            await client.ping()
        seen.append(len([*walk_tb(caught.value.__traceback__)]))
    assert len(set(seen)) == 1


async def test_errors_are_logged_by_default(
    package: Package, server: Played, caplog: pytest.LogCaptureFixture
) -> None:
    async with package.client(f"ws://127.0.0.1:{server.port}", params={"team": "a"}) as client:
        wire = await server.connection()
        await wire.send("of a newer server")
        await settled(client, wire)
    assert [(one.levelno, one.message) for one in caplog.records if "newer" in one.message] == [
        (logging.WARNING, "HubClient: Unknown action 'of a newer server'")
    ]


def test_a_refused_token_after_an_old_refresh(
    package: Package, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that was healthy lets the client refresh once more."""
    backoff = package.policy.Backoff({4401: "after_refresh"}, can_refresh=True)
    assert backoff.delay(4401) is not None
    assert backoff.delay(4401) is None
    backoff.opened()
    monkeypatch.setattr(package.policy, "_HEALTHY_AFTER", 0)
    assert backoff.delay(1012) is not None
    assert backoff.delay(4401) is not None
    assert backoff.delay(4401) is None


def test_what_close_codes_mean(package: Package) -> None:
    """Those of the document first, then as the client in JavaScript has it."""
    known = {1012: "again", 4401: "after_refresh", 4999: "stop"}
    said = {
        code: package.policy.retry_after(code, known)
        for code in (
            None, 1000, 1002, 1006, 1008, 1012, 1013, 3000, 4401, 4404, 4408, 4429, 4503, 4999, 401, 403, 429, 503,
        )
    }  # fmt: skip
    assert said == {
        None: "again", 1000: "stop", 1002: "stop", 1006: "again", 1008: "stop", 1012: "again", 1013: "backoff",
        3000: "again", 4401: "after_refresh", 4404: "stop", 4408: "again", 4429: "backoff", 4503: "backoff",
        4999: "stop", 401: "after_refresh", 403: "stop", 429: "backoff", 503: "backoff",
    }  # fmt: skip
