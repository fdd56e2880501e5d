"""The topics of the hub: without a server on every kind of layer, and on the running demo."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from fast_channels.layers import channel_layers
from websockets.asyncio.client import ClientConnection, connect

from chanx.constants import COMPLETE_ACTIONS
from chanx.testing import WebsocketCommunicator
from sandbox_fastapi import tasks
from sandbox_fastapi.apps.hub.consumer import HubConsumer
from sandbox_fastapi.apps.hub.topics import NotificationTopic
from sandbox_fastapi.apps.room_chat.consumer import RoomChatConsumer, RoomTopic
from sandbox_fastapi.apps.room_chat.messages import RoomNotificationPayload
from sandbox_fastapi.apps.showcase.messages import NotificationPayload
from sandbox_fastapi.main import app
from sandbox_fastapi.tests.support import TIME_LIMIT, Demo, get


class Client:
    """A client of the hub."""

    def __init__(self, socket: WebsocketCommunicator | ClientConnection) -> None:
        self._socket = socket

    @classmethod
    @asynccontextmanager
    async def of(cls, place: Demo | None = None, *, name: str = "") -> "AsyncGenerator[Client]":
        """Connect to the application, or to the running demo, and introduce the client."""
        async with AsyncExitStack() as stack:
            socket: WebsocketCommunicator | ClientConnection
            if place is None:
                unserved = WebsocketCommunicator(app, "/ws/hub", consumer=HubConsumer)
                socket = await stack.enter_async_context(unserved)
            else:
                served = connect(f"{place.ws}/ws/hub", proxy=None)
                socket = await stack.enter_async_context(served)
            client = cls(socket)
            if name:
                await client.asks("introduce", {"name": name})
            yield client

    # Any: whatever JSON can hold.
    async def sends(self, action: str, payload: Any = None, **envelope: str) -> None:
        """Send a message."""
        text = json.dumps({"action": action, "payload": payload, **envelope})
        if isinstance(self._socket, WebsocketCommunicator):
            await self._socket.send_to(text_data=text)
        else:
            await self._socket.send(text)

    async def gets(self) -> dict[str, Any]:
        """Return the next frame, apart from completions."""
        while True:
            frame = await self._next()
            if frame["action"] not in COMPLETE_ACTIONS:
                return frame

    async def asks(self, action: str, payload: Any = None, topic: str = "") -> dict[str, Any]:
        """Send a message and return the first frame under its `ref`."""
        await self.sends(action, payload, ref="asked", **({"topic": topic} if topic else {}))
        while True:
            frame = await self.gets()
            if frame.get("ref") == "asked":
                return frame

    async def joins(self, *topics: str) -> None:
        """Subscribe to topics."""
        for topic in topics:
            assert (await self.asks("subscribe", topic=topic))["action"] == "subscribed"

    async def _next(self) -> dict[str, Any]:
        async with asyncio.timeout(TIME_LIMIT):
            if isinstance(self._socket, WebsocketCommunicator):
                return dict(await self._socket.receive_json_from(timeout=TIME_LIMIT))
            return dict(json.loads(await self._socket.recv()))


def said(text: str, **changed: str) -> dict[str, str]:
    """Return the payload with which a room tells something."""
    return {"message": text, "room_name": "lobby", "sender": "Ada", "kind": "chat", **changed}


@pytest.mark.usefixtures("layers")
async def test_a_room_is_a_topic() -> None:
    """The sender is answered under its `ref`; the others get it without one, and hear who comes and goes."""
    async with Client.of(name="Grace") as grace:
        await grace.joins("room:lobby")
        async with Client.of(name=" Ada\n") as ada:
            await ada.joins("room:lobby")
            answer = await ada.asks("room_chat", {"message": "hello"}, "room:lobby")
            heard = [await grace.gets(), await grace.gets()]
        heard.append(await grace.gets())

    assert (answer["topic"], answer["payload"]) == ("room:lobby", said("hello"))
    assert [frame["payload"]["message"] for frame in heard] == ["Ada joined", "hello", "Ada left"]
    assert all(frame["topic"] == "room:lobby" and "ref" not in frame for frame in heard)


@pytest.mark.usefixtures("layers")
async def test_both_kinds_of_socket_share_a_room() -> None:
    """What is said by a client of the hub reaches those of the room's own address, and the other way round."""
    async with (
        Client.of(name="Ada") as ada,
        WebsocketCommunicator(
            app, "/ws/room/lobby?name=grace", consumer=RoomChatConsumer
        ) as address,
    ):
        grace = Client(address)
        await grace.asks("ping")
        await ada.joins("room:lobby")
        assert (await grace.gets())["payload"]["message"] == "Ada joined"
        await ada.asks("room_chat", {"message": "hello"}, "room:lobby")
        assert (await grace.gets())["payload"] == said("hello")
        await grace.sends("room_chat", {"message": "hi"})
        assert (await ada.gets())["payload"] == said("hi", sender="grace")


@pytest.mark.parametrize("room", ["with:colon", "x" * 61])
async def test_a_room_that_can_be_no_topic(room: str) -> None:
    """Its own address has it nevertheless, and telling its subscribers tells nobody."""
    payload = RoomNotificationPayload(message="hello", room_name=room, sender="ada")
    await RoomTopic.tell(payload)
    async with WebsocketCommunicator(app, f"/ws/room/{room}", consumer=RoomChatConsumer) as socket:
        client = Client(socket)
        await client.sends("room_chat", {"message": "hello"})
        assert (await client.gets())["payload"]["room_name"] == room


REFUSED = {
    "nameless": ("room:lobby", "no_name"),
    "long": (f"room:{'x' * 61}", "invalid_topic"),
    "level": ("notifications:loud", "invalid_topic"),
    "unknown": ("room:a:b", "unknown_topic"),
}


@pytest.mark.parametrize(("topic", "reason"), REFUSED.values(), ids=REFUSED)
async def test_what_is_refused(topic: str, reason: str) -> None:
    """With a reason, and the socket serves what follows."""
    async with Client.of() as client:
        refusal = await client.asks("subscribe", topic=topic)
        assert (refusal["action"], refusal["topic"]) == ("error", topic)
        assert refusal["payload"]["reason"] == reason
        await client.joins("chat")


@pytest.mark.usefixtures("layers")
async def test_the_chat_is_a_topic() -> None:
    """With notices of who comes and goes."""
    async with Client.of() as ada:
        await ada.joins("chat")
        async with Client.of() as grace:
            await grace.joins("chat")
            answer = await grace.asks("chat", {"message": "hello"}, "chat")
            heard = [(await ada.gets())["payload"] for _ in range(2)]
            assert (await grace.asks("unsubscribe", topic="chat"))["action"] == "unsubscribed"
            heard.append((await ada.gets())["payload"])

    assert answer["payload"] == {"message": "💬 hello"}
    assert heard == ["Somebody joined", {"message": "💬 hello"}, "Somebody left"]


@pytest.mark.usefixtures("layers")
async def test_notifications_by_level() -> None:
    """A client gets the levels to which it has subscribed, until it unsubscribes."""
    async with Client.of() as ada, Client.of() as grace:
        await ada.joins("notifications:info", "notifications:alert")
        await grace.joins("notifications:info", "notifications:alert")
        await grace.asks("unsubscribe", topic="notifications:alert")
        for level in ("alert", "info"):
            await ada.asks("notify", {"message": level}, f"notifications:{level}")
        await NotificationTopic.notify(NotificationPayload(message="from anywhere"))

        heard = [(await grace.gets())["payload"] for _ in range(2)]
        refusal = await grace.asks("notify", {"message": "x"}, "notifications:alert")

    assert [payload["message"] for payload in heard] == ["info", "from anywhere"]
    assert refusal["payload"]["reason"] == "not_subscribed"


async def test_a_finished_job_notifies_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the worker's function, which knows no connection."""
    monkeypatch.setattr(tasks, "ANALYZING", 0)
    async with Client.of() as client:
        await client.joins("notifications:info")
        await tasks.analyze({}, "a1", "one two", "nobody.listens")
        assert (await client.gets())["payload"]["message"] == "A background job is done"


def post(url: str, payload: dict[str, str]) -> int:
    """Post JSON and return the status."""
    body = json.dumps(payload).encode()
    request = Request(url, body, {"Content-Type": "application/json"})
    try:
        with urlopen(request, timeout=TIME_LIMIT) as answer:
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code


async def test_topics_of_the_running_demo(demo: Demo) -> None:
    """Two clients on real sockets; an HTTP request and a job in the worker's process notify both."""
    url = f"{demo.http}/notifications"
    async with Client.of(demo, name="Ada") as ada, Client.of(demo, name="Grace") as grace:
        for client in (ada, grace):
            await client.joins("room:lobby", "notifications:warning", "notifications:info")
        await ada.asks("room_chat", {"message": "hello"}, "room:lobby")
        while (heard := await grace.gets())["payload"].get("message") != "hello":
            pass
        assert heard["topic"] == "room:lobby"

        status = await asyncio.to_thread(post, url, {"message": "Lunch", "level": "warning"})
        assert status == 202
        for client in (ada, grace):
            while (heard := await client.gets())["topic"] != "notifications:warning":
                pass
            assert heard["payload"] == {"message": "Lunch", "level": "warning"}
        assert await asyncio.to_thread(post, url, {"message": "Lunch", "level": "loud"}) == 422

        async with connect(f"{demo.ws}/ws/background_jobs", proxy=None) as jobs:
            asked = {"action": "job", "payload": {"type": "translate", "content": "hello"}}
            await jobs.send(json.dumps(asked))
            for client in (ada, grace):
                assert (await client.gets())["payload"]["message"] == "A background job is done"


async def test_a_layer_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """The HTTP client is told to come back later."""

    async def fail(*_: object) -> None:
        raise ConnectionError("down")

    monkeypatch.setattr(channel_layers["chat"], "group_send", fail)
    assert (await get(app, "/notifications", body=b'{"message": "Lunch"}')).status == 503
