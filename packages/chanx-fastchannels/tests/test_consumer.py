"""The plain consumers of fast-channels, held to what its document says of them."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import pytest
from fast_channels import consumer as library
from fast_channels.exceptions import AcceptConnection, DenyConnection, StopConsumer
from fast_channels.layers import (
    InMemoryChannelLayer,
    register_channel_layer,
    unregister_channel_layer,
)
from fast_channels.layers.base import BaseChannelLayer
from fast_channels.type_defs import (
    HttpDisconnectEvent,
    HttpRequestEvent,
    WebSocketConnectEvent,
    WebSocketDisconnectEvent,
    WebSocketReceiveEvent,
)

from chanx.fast_channels import websocket
from chanx.fast_channels.consumer import (
    AsyncConsumer,
    AsyncHttpConsumer,
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
)
from chanx.testing import ConnectionClosedError, WebsocketConnection

Event = dict[str, Any]
DISCONNECT: Event = {"type": "http.disconnect"}


@pytest.fixture
async def layer() -> AsyncIterator[InMemoryChannelLayer]:
    layer = InMemoryChannelLayer()
    register_channel_layer("chat", layer)
    yield layer
    unregister_channel_layer("chat")


async def served(application: Any, events: Iterable[Event]) -> list[Event]:
    """Give an application these events of one HTTP request, and return what it sent."""
    incoming, sent = iter(events), list[Event]()

    async def receive() -> Event:
        return next(incoming)

    async def send(event: Event) -> None:
        sent.append(event)

    await application({"type": "http", "method": "POST", "path": "/"}, receive, send)
    return sent


def request(*parts: bytes) -> list[Event]:
    """Return the events of a request whose body comes in parts."""
    return [
        {"type": "http.request", "body": part, "more_body": number < len(parts)}
        for number, part in enumerate(parts, 1)
    ]


# The library's classes stay in place


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (AsyncConsumer, library.AsyncConsumer),
        (AsyncHttpConsumer, library.AsyncHttpConsumer),
        (AsyncWebsocketConsumer, library.AsyncWebsocketConsumer),
        (AsyncJsonWebsocketConsumer, library.AsyncJsonWebsocketConsumer),
        (websocket.AsyncJsonWebsocketConsumer, library.AsyncJsonWebsocketConsumer),
    ],
    ids=["base", "http", "websocket", "json", "typed"],
)
def test_ours_are_the_librarys(ours: type, theirs: type) -> None:
    assert issubclass(ours, theirs)


# AsyncConsumer


async def test_the_type_of_an_event_names_the_method(layer: BaseChannelLayer) -> None:
    """Events of the server and messages of the layer alike; what nobody handles is an error."""
    channels: list[str] = []

    class Relay(AsyncConsumer):
        channel_layer_alias = "chat"

        async def websocket_connect(self, message: WebSocketConnectEvent) -> None:
            assert isinstance(self.channel_layer, BaseChannelLayer)
            assert self.scope["path"] == "/ws"
            channels.append(self.channel_name)
            await self.base_send({"type": "websocket.accept"})

        async def news_flash(self, message: Event) -> None:
            await self.send({"type": "websocket.send", "text": message["text"]})

    ws = WebsocketConnection(Relay.as_asgi(), "/ws")
    await ws.connect()
    await layer.send(channels[0], {"type": "news.flash", "text": "hello"})

    assert await ws.receive_from() == "hello"
    with pytest.raises(ValueError, match=r"No handler for message type websocket\.disconnect"):
        await ws.disconnect()


async def test_dispatch_by_hand() -> None:
    class Counting(AsyncConsumer):
        calls = 0

        async def once_more(self, message: Event) -> None:
            self.calls += 1

    consumer = Counting()
    await consumer.dispatch({"type": "once.more"})

    assert consumer.calls == 1
    with pytest.raises(ValueError, match="No handler for message type nothing"):
        await consumer.dispatch({"type": "nothing"})


async def test_the_channel_can_be_read_by_hand(layer: BaseChannelLayer) -> None:
    """`channel_receive` is the layer's `receive()` of this connection's channel, which `dispatch()` reads too."""
    seen: list[Any] = []
    both = asyncio.Event()

    class Reading(AsyncConsumer):
        channel_layer_alias = "chat"

        async def websocket_connect(self, message: WebSocketConnectEvent) -> None:
            assert self.channel_layer is not None
            await self.channel_layer.send(self.channel_name, {"type": "first"})
            await self.channel_layer.send(self.channel_name, {"type": "second"})
            self.note(await self.channel_receive())
            await self.base_send({"type": "websocket.accept"})

        async def first(self, message: Event) -> None:
            self.note(message)

        async def second(self, message: Event) -> None:
            self.note(message)

        def note(self, message: Mapping[str, Any]) -> None:
            seen.append(message)
            if len(seen) == 2:
                both.set()

        async def websocket_disconnect(self, message: WebSocketDisconnectEvent) -> None:
            raise StopConsumer

    async with WebsocketConnection(Reading.as_asgi(), "/ws"), asyncio.timeout(1):
        await both.wait()

    assert sorted(message["type"] for message in seen) == ["first", "second"]


@pytest.mark.parametrize("base", [AsyncConsumer, AsyncHttpConsumer, AsyncWebsocketConsumer])
async def test_arguments_of_as_asgi_reach_each_instance(base: type[AsyncConsumer]) -> None:
    """An instance for each scope, each with the arguments."""
    made: list[Any] = []

    class Configured(base):  # type: ignore[misc, valid-type]
        def __init__(self, *, room: str) -> None:
            super().__init__()
            self.room = room
            made.append(self)

        async def http_request(self, message: HttpRequestEvent) -> None:
            await self.base_send({"type": "room", "room": self.room})
            raise StopConsumer

    application = Configured.as_asgi(room="lobby")
    sent = [await served(application, request(b"")) for _ in range(2)]

    assert sent == [[{"type": "room", "room": "lobby"}]] * 2
    assert len(set(map(id, made))) == 2
    assert application.consumer_class is Configured
    assert application.consumer_initkwargs == {"room": "lobby"}
    assert application.__name__ == "Configured"


# AsyncHttpConsumer


async def test_a_request_is_handled_when_its_body_is_whole() -> None:
    """Parts of the body are joined, and `disconnect()` follows."""
    ended: list[bool] = []

    class Echo(AsyncHttpConsumer):
        async def handle(self, body: bytes) -> None:
            await self.send_response(201, body.upper(), headers=[(b"x-length", b"5")])

        async def disconnect(self) -> None:
            ended.append(True)

    assert await served(Echo.as_asgi(), request(b"he", b"llo")) == [
        {"type": "http.response.start", "status": 201, "headers": [(b"x-length", b"5")]},
        {"type": "http.response.body", "body": b"HELLO", "more_body": False},
    ]
    assert ended == [True]


async def test_a_response_in_parts() -> None:
    class Streaming(AsyncHttpConsumer):
        async def handle(self, body: bytes) -> None:
            await self.send_headers()
            await self.send_body(b"one", more_body=True)
            await self.send_body(b"two")
            with pytest.raises(AssertionError, match="Body is not bytes"):
                await self.send_body("text")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]

    start, *bodies = await served(Streaming.as_asgi(), request(b""))
    assert start == {"type": "http.response.start", "status": 200, "headers": []}
    assert [(part["body"], part["more_body"]) for part in bodies] == [
        (b"one", True),
        (b"two", False),
    ]


async def test_headers_may_be_a_dictionary() -> None:
    class Plain(AsyncHttpConsumer):
        async def handle(self, body: bytes) -> None:
            await self.send_response(200, b"", headers={b"content-type": b"text/plain"})

    start, _ = await served(Plain.as_asgi(), request(b""))
    assert start["headers"] == [(b"content-type", b"text/plain")]


async def test_a_client_that_leaves_before_its_request_is_whole() -> None:
    ended: list[bool] = []

    class Waiting(AsyncHttpConsumer):
        async def disconnect(self) -> None:
            ended.append(True)

    events: list[HttpRequestEvent | HttpDisconnectEvent | Event] = [
        {"type": "http.request", "body": b"he", "more_body": True},
        DISCONNECT,
    ]
    assert await served(Waiting.as_asgi(), [dict(event) for event in events]) == []
    assert ended == [True]


async def test_handle_has_to_be_written() -> None:
    with pytest.raises(NotImplementedError, match=r"must provide a handle\(\) method"):
        await served(AsyncHttpConsumer.as_asgi(), request(b""))


# AsyncWebsocketConsumer


async def test_a_connection_is_accepted_by_default(layer: InMemoryChannelLayer) -> None:
    """It joins its groups, and leaves them."""
    codes: list[int] = []

    class Member(AsyncWebsocketConsumer):
        channel_layer_alias = "chat"
        groups = ["room"]  # noqa: RUF012 - the documented way to write it

        async def disconnect(self, code: int) -> None:
            codes.append(code)

        async def shout(self, message: Event) -> None:
            await self.send(text_data=message["text"])

    ws = WebsocketConnection(Member.as_asgi(), "/ws")
    assert await ws.connect() == (True, None)
    await layer.group_send("room", {"type": "shout", "text": "hello"})
    assert await ws.receive_from() == "hello"
    await ws.disconnect(4001)
    assert codes == [4001]
    assert not any(layer.groups.values())


async def test_connect_decides() -> None:
    class Choosing(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            await self.accept("v2", headers=[(b"x-a", b"b")])

    ws = WebsocketConnection(Choosing.as_asgi(), "/ws")
    await ws.send_input({"type": "websocket.connect"})
    assert await ws.receive_output() == {
        "type": "websocket.accept",
        "subprotocol": "v2",
        "headers": [(b"x-a", b"b")],
    }
    await ws.disconnect()


@pytest.mark.parametrize(
    ("decision", "answer"), [(AcceptConnection, (True, None)), (DenyConnection, (False, 1000))]
)
async def test_connect_may_raise_its_decision(
    decision: type[Exception], answer: tuple[bool, int | None]
) -> None:
    class Raising(AsyncWebsocketConsumer):
        async def connect(self) -> None:
            raise decision

    ws = WebsocketConnection(Raising.as_asgi(), "/ws")
    assert await ws.connect() == answer
    await ws.disconnect()


async def test_frames_of_both_kinds() -> None:
    class Echo(AsyncWebsocketConsumer):
        async def receive(
            self, text_data: str | None = None, bytes_data: bytes | None = None
        ) -> None:
            with pytest.raises(ValueError, match="bytes_data or text_data"):
                await self.send()
            await self.send(text_data, bytes_data)

    async with WebsocketConnection(Echo.as_asgi(), "/ws") as ws:
        await ws.send_to("text")
        assert await ws.receive_from() == "text"
        await ws.send_to(bytes_data=b"\x00")
        assert (await ws.receive_output())["bytes"] == b"\x00"


@pytest.mark.parametrize(
    ("way", "code"), [("bare", 1000), ("boolean", 1000), ("code", 4003), ("send", 1000)]
)
async def test_closing(way: str, code: int) -> None:
    """A boolean means 1000: as a code it would be 1, which no server can send."""

    class Leaving(AsyncWebsocketConsumer):
        async def receive(
            self, text_data: str | None = None, bytes_data: bytes | None = None
        ) -> None:
            match way:
                case "bare":
                    await self.close()
                case "boolean":
                    await self.close(True)
                case "code":
                    await self.close(4003, "no entry")
                case _:
                    await self.send("bye", close=True)

    async with WebsocketConnection(Leaving.as_asgi(), "/ws") as ws:
        await ws.send_to("go")
        event = await ws.receive_output()
        if event["type"] == "websocket.send":
            event = await ws.receive_output()

    assert event["type"] == "websocket.close"
    assert event["code"] == code
    assert type(event["code"]) is int
    assert event["reason"] == ("no entry" if code == 4003 else None)


async def test_a_client_that_leaves_without_a_code() -> None:
    codes: list[int] = []

    class Leaving(AsyncWebsocketConsumer):
        async def disconnect(self, code: int) -> None:
            codes.append(code)

    ws = WebsocketConnection(Leaving.as_asgi(), "/ws")
    await ws.connect()
    await ws.send_input({"type": "websocket.disconnect"})
    await ws.wait()
    assert codes == [1005]


async def test_events_have_types() -> None:
    """The parameters of the entry points are typed dictionaries."""
    entry_points: list[tuple[Any, Any]] = [
        (library.AsyncWebsocketConsumer.websocket_connect, WebSocketConnectEvent),
        (library.AsyncWebsocketConsumer.websocket_receive, WebSocketReceiveEvent),
        (library.AsyncWebsocketConsumer.websocket_disconnect, WebSocketDisconnectEvent),
        (library.AsyncHttpConsumer.http_request, HttpRequestEvent),
        (library.AsyncHttpConsumer.http_disconnect, HttpDisconnectEvent),
    ]
    for function, event in entry_points:
        assert inspect.signature(function).parameters["message"].annotation is event


# AsyncJsonWebsocketConsumer


async def test_json_in_and_out() -> None:
    class Spelling(AsyncJsonWebsocketConsumer):
        async def receive_json(self, content: Any, **kwargs: Any) -> None:
            await self.send_json({"got": content}, close=True)

        @classmethod
        async def decode_json(cls, text_data: str) -> Any:
            return [await super().decode_json(text_data)]

        @classmethod
        async def encode_json(cls, content: Any) -> str:
            return (await super().encode_json(content)).upper()

    async with WebsocketConnection(Spelling.as_asgi(), "/ws") as ws:
        await ws.send_to('{"a": 1}')
        assert await ws.receive_from() == '{"GOT": [{"A": 1}]}'
        with pytest.raises(ConnectionClosedError) as closed:
            await ws.receive_from()
    assert type(closed.value.code) is int
    assert closed.value.code == 1000


async def test_json_is_text() -> None:
    ws = WebsocketConnection(AsyncJsonWebsocketConsumer.as_asgi(), "/ws")
    await ws.send_to(bytes_data=b"{}")

    with pytest.raises(ValueError, match="No text section"):
        await ws.wait()
