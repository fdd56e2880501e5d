"""Generated clients in Python against a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

# Neither is there where the tests of this package run alone.
pytest.importorskip("uvicorn", reason="there is no uvicorn")
pytest.importorskip("chanx.fast_channels", reason="there is no chanx-fastchannels")

from .client_app import (
    Hub,
    LineMessage,
    LogTopic,
    RoomTopic,
    Server,
    import_client,
    serving,
    write_client,
)


# Any: the classes of a package that is written while the tests run.
class Package:
    def __init__(self, folder: Path) -> None:
        write_client(folder)
        self.base: Any = import_client(folder, "base")
        self.hub: Any = import_client(folder, "hub")
        self.messages: Any = import_client(folder, "hub.messages")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return Package(tmp_path_factory.mktemp("clients") / "hub_client")


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    Hub.seen.clear()
    async with serving() as running:
        yield running


class Seen:
    """What a client told of, for tests to wait for."""

    def __init__(self, package: Package) -> None:
        self.errors: asyncio.Queue[Exception] = asyncio.Queue()
        self.resyncs: asyncio.Queue[str | None] = asyncio.Queue()
        self.messages: asyncio.Queue[Any] = asyncio.Queue()
        seen = self
        generated: Any = package.hub.HubClient

        class Client(generated):  # type: ignore[misc] # written while the tests run
            async def on_error(self, error: Exception) -> None:
                seen.errors.put_nowait(error)

            async def on_resync(self, topic: str | None = None) -> None:
                seen.resyncs.put_nowait(topic)

            async def handle_message(self, message: Any) -> None:
                seen.messages.put_nowait(message)

        self.client_class: Any = Client

    def client(self, server: Server, **options: Any) -> Any:
        return self.client_class(server.url, params={"team": "a b"}, **options)

    async def error(self, kind: type[Exception]) -> Exception:
        """Return the next error of a kind; those of connecting to a server that is away come in between."""
        while not isinstance(error := await self.errors.get(), kind):
            assert isinstance(error, OSError)
        return error


@pytest.fixture
def seen(package: Package) -> Seen:
    return Seen(package)


async def test_a_request_has_its_answer(package: Package, server: Server, seen: Seen) -> None:
    tokens = iter(["first", "second"])

    async def token() -> str:
        return next(tokens)

    async with seen.client(server, token=token, query={"x": "1"}) as client:
        assert isinstance(await client.ping(), package.messages.PongMessage)
        assert await client.release() is None
    assert Hub.seen == [{"path": "/hub/a b", "query": "x=1&heartbeat=1"}]
    assert next(tokens) == "second"
    with pytest.raises(package.base.ConnectionClosed):
        await client.ping()


async def test_many_requests_at_once(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        answers = await asyncio.gather(*(client.ping() for _ in range(50)))
    assert len(answers) == 50


async def test_a_stream_gives_credit_as_it_is_read(server: Server, seen: Seen) -> None:
    async with seen.client(server) as client, client.count(items=1000) as answer:
        first = await anext(answer)
        await client.ping()
        assert server.progress.sent <= 33
        rest = [item.payload.number async for item in answer]
    assert [first.payload.number, *rest] == [*range(1, 1001)]


async def test_leaving_a_stream_cancels_it(server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        async with client.count(items=1000, hold_after=3) as answer:
            async for item in answer:
                if item.payload.number == 3:
                    break
        while server.progress.closed == 0:
            await client.ping()
    assert server.progress.sent == 3


async def test_errors_are_typed(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server) as client, client.count(items=2, fail=True) as answer:
        assert [(await anext(answer)).payload.number for _ in range(2)] == [1, 2]
        with pytest.raises(package.base.AnswerError) as caught:
            await anext(answer)
    assert (caught.value.code, caught.value.detail) == ("broken", "It broke after all")


async def test_cancelling_a_call_cancels_its_handler(server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        call = asyncio.create_task(client.wait())
        await client.ping()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await client.ping()


async def test_the_server_asks(package: Package, server: Server, seen: Seen) -> None:
    approved = package.messages.ApprovedMessage
    verdict = {"action": "approved", "payload": {"ok": True, "by": "Ada"}}

    async def approve(message: Any) -> Any:
        assert message.payload == "Deploy to production?"
        return approved.model_validate(verdict)

    async with seen.client(server) as client:
        client.on_approve(approve)
        assert (await client.deploy()).payload == "approved by Ada"


async def test_topics(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        room = await client.room_topic(name="lobby").subscribe()
        assert (await room.say(text="Hello")).payload == 5
        assert (await anext(aiter(room))).payload.text == "Hello"
        with pytest.raises(package.base.TopicRefused) as refused:
            await client.room_topic(name="secret").subscribe()
        assert refused.value.code == "unauthorized"
        await room.unsubscribe()
        assert [event async for event in room] == []
        with pytest.raises(package.base.TopicRefused):
            await room.say(text="Hello")
        with pytest.raises(ValueError, match="may not be empty"):
            client.room_topic(name="a:b")


async def test_handle_message(package: Package, server: Server, seen: Seen) -> None:
    client = seen.client(server)
    handling = asyncio.create_task(client.handle())
    await client.send(package.messages.NotifyMessage(action="notify", payload="one"))
    assert (await seen.messages.get()).payload == "one"
    await client.close()
    await handling


async def test_invalid_frames_do_not_end_the_connection(
    package: Package, server: Server, seen: Seen
) -> None:
    async with seen.client(server) as client:
        await client.notify(payload="invalid")
        first, second = [await seen.error(package.base.InvalidFrame) for _ in range(2)]
        assert "Input should be a valid string" in str(first)
        assert "of a newer server" in str(second)
        await client.ping()
        assert (await anext(client.messages())).payload == "invalid"


async def test_the_queue_before_the_connection_is_bounded(package: Package, seen: Seen) -> None:
    server = Server()
    await server.start()
    await server.stop()
    client = seen.client(server)
    message = package.messages.NotifyMessage(action="notify", payload="one")
    for _ in range(client.max_queued):
        await client.send(message)
    with pytest.raises(package.base.SendQueueFull):
        await client.send(message)


async def test_a_server_that_dies_in_a_request(
    package: Package, server: Server, seen: Seen
) -> None:
    async with seen.client(server) as client:
        call = asyncio.create_task(client.wait())
        await client.ping()
        await server.kill()
        with pytest.raises(package.base.ConnectionLost):
            await call
        await server.start()
        assert isinstance(await client.ping(), package.messages.PongMessage)
        assert await seen.resyncs.get() is None


async def test_a_server_that_dies_in_a_stream(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        async with client.count(items=10, hold_after=2) as answer:
            assert [(await anext(answer)).payload.number for _ in range(2)] == [1, 2]
            await server.kill()
            with pytest.raises(package.base.ConnectionLost):
                await anext(answer)
        await server.start()
        async with client.count(items=3) as answer:
            assert len([item async for item in answer]) == 3


async def test_a_server_that_dies_in_a_subscribe(
    package: Package, server: Server, seen: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with seen.client(server) as client:
        room = await client.room_topic(name="lobby").subscribe()
        monkeypatch.setattr(RoomTopic, "holds", asyncio.Event())
        late = asyncio.create_task(client.room_topic(name="late").subscribe())
        await asyncio.sleep(0)
        await server.kill()
        with pytest.raises(package.base.ConnectionLost):
            await late
        monkeypatch.setattr(RoomTopic, "holds", None)
        await server.start()
        assert {await seen.resyncs.get(), await seen.resyncs.get()} == {None, "room:lobby"}
        await room.say(text="again")
        assert (await anext(aiter(room))).payload.text == "again"
        assert client.topics.keys() == {"room:lobby"}


async def test_missed_events_are_recovered(server: Server, seen: Seen) -> None:
    """Or the client is told to fetch again."""

    async def publish(*words: str) -> None:
        for word in words:
            line = LineMessage.model_validate({"payload": {"text": word}})
            await LogTopic.broadcast("log:a", line)

    async with seen.client(server) as client:
        log = await client.log_topic(name="a").subscribe()
        lines = aiter(log)
        await publish("one")
        assert (await anext(lines)).payload.text == "one"
        await server.kill()
        await publish("two", "three")
        await server.start()
        assert [(await anext(lines)).payload.text for _ in range(2)] == ["two", "three"]
        assert await seen.resyncs.get() is None
        assert log.recovered
        await server.kill()
        await publish(*"abcd")  # more than are kept
        await server.start()
        assert {await seen.resyncs.get(), await seen.resyncs.get()} == {None, "log:a"}
        await publish("five")
        assert (await anext(lines)).payload.text == "five"


async def test_a_refused_handshake_ends_the_client(package: Package, server: Server) -> None:
    generated: Any = package.hub.HubClient

    class Elsewhere(generated):  # type: ignore[misc] # written while the tests run
        address = "/elsewhere"

    with pytest.raises(package.base.ConnectionClosed) as closed:
        async with Elsewhere(server.url):
            pass
    assert closed.value.code == 403


async def test_a_client_that_connects_once(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server, reconnects=False) as client:
        call = asyncio.create_task(client.wait())
        await client.ping()
        await server.stop()
        with pytest.raises(package.base.ClientError):
            await call
        assert [message async for message in client.messages()] == []
        assert client.closed.code == 1012
    with pytest.raises(package.base.ConnectionClosed) as closed:
        async with seen.client(server, reconnects=False):
            pass
    assert isinstance(closed.value.__cause__, ConnectionRefusedError)
    assert seen.errors.empty()


async def test_a_restart_of_the_server(package: Package, server: Server, seen: Seen) -> None:
    async with seen.client(server) as client:
        await client.ping()
        await server.stop()
        await server.start()
        await client.ping()
    with suppress(package.base.ClientError):
        await client.ping()
