"""The consumers, written once for both integrations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any, TypeVar, cast

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.utils.scope import query_params
from sandbox_servers.authenticators import Gatekeeper
from sandbox_servers.messages import (
    BreakMessage,
    CountMessage,
    HoldMessage,
    NewsEvent,
    NumberMessage,
    PartMessage,
    SayMessage,
    StreamMessage,
    StreamPayload,
    WaitMessage,
    WhereMessage,
)
from sandbox_servers.notes import count_part, note, release_of

__all__ = ["consumers"]

Base = TypeVar("Base", bound=ChanxWebsocketConsumerMixin[Any])


class Work(ChanxWebsocketConsumerMixin[Any]):
    """Does what it is told; `?case=` says under which name it notes what happened."""

    log_websocket_message = False
    disconnect_grace = 0.5

    @property
    def case(self) -> str:
        """The name of the test case."""
        return query_params(self.scope).get("case", ["none"])[0]

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()

    @ws_handler
    async def number(self, message: NumberMessage) -> NumberMessage:
        """Note it and send it back."""
        note(self.case, str(message.payload))
        return message

    @ws_handler
    async def wait(self, message: WaitMessage) -> WaitMessage:
        """Answer after a while."""
        note(self.case, "began")
        await self._or_note_the_end(asyncio.sleep(message.payload))
        note(self.case, "ended")
        return message

    @ws_handler
    async def hold(self, message: HoldMessage) -> None:
        """Wait until the case is released, which may be never."""
        note(self.case, "began")
        await self._or_note_the_end(release_of(self.case).wait())

    @ws_handler(action="break")
    async def fail(self, message: BreakMessage) -> None:
        """Go wrong."""
        raise ValueError("secret")

    @ws_handler(output_type=SayMessage)
    async def stream(self, message: StreamMessage) -> None:
        """Send texts until cancelled, also when nobody is there any more."""
        note(self.case, "began")
        await self._or_note_the_end(self._stream(message.payload))

    async def _stream(self, wish: StreamPayload) -> None:
        text = SayMessage(payload="x" * wish.size)
        while True:
            await self.send_message(text)
            await asyncio.sleep(1 / wish.rate)

    async def _or_note_the_end(self, waiting: Awaitable[object]) -> None:
        try:
            await waiting
        except asyncio.CancelledError:
            note(self.case, "cancelled")
            raise

    async def disconnect(self, code: int) -> None:
        """Note with which code the connection ended."""
        note(self.case, f"closed {code}")


class Gate(Work):
    """Lets in whom its authenticator admits; one that never decides has a second."""

    authenticator_class = Gatekeeper
    authentication_timeout = 1.0

    async def post_authentication(self) -> None:
        """Note that somebody was let in."""
        note(self.case, "admitted")


class Streams(Work):
    """Streams parts, as fast as the client takes them. A client that stalls has a minute."""

    send_timeout = 60.0

    @ws_handler
    async def count(self, message: CountMessage) -> AsyncIterator[PartMessage]:
        """Yield so many parts, then wait if that is asked for."""
        wish = message.payload
        note(self.case, "began")
        try:
            part = PartMessage(payload="x" * wish.size)
            for _ in range(wish.parts):
                count_part(self.case)
                yield part
            if wish.holds:
                note(self.case, "holds")
                await release_of(self.case).wait()
        finally:
            note(self.case, "ended")


class Impatient(Work):
    """Gives a peer one second to take a frame."""

    send_timeout = 1.0


class Room(Work):
    """Tells everybody what one says; the room has the name of the case, on the queues of Redis."""

    channel_layer_alias = "queue"
    heartbeat_interval = 0.5

    async def get_groups(self) -> list[str]:
        """Return the rooms: three, of which two are side rooms."""
        return [self.case, f"{self.case}.left", f"{self.case}.right"]

    @ws_handler(output_type=SayMessage)
    async def say(self, message: SayMessage) -> None:
        """Tell the room."""
        await self.broadcast_message(message, self.case)

    @ws_handler
    async def where(self, message: WhereMessage) -> SayMessage:
        """Tell the name of the channel."""
        return SayMessage(payload=self.channel_name)

    @event_handler
    async def news(self, event: NewsEvent) -> SayMessage:
        """Tell the client."""
        return SayMessage(payload=event.payload)


class PubSubRoom(Room):
    """The same on Redis's publish and subscribe."""

    channel_layer_alias = "pubsub"


class TimedRoom(Room):
    """A room whose handlers have a hundredth of a second, and whose peers have one to take a frame."""

    handler_timeout = 0.01
    send_timeout = 1.0


class Broken(Work):
    """Fails before it is open."""

    async def post_authentication(self) -> None:
        """Fail."""
        raise ValueError("secret")


class PatientRoom(Room):
    """A room in which handlers have the library's own time to finish."""

    disconnect_grace = 5.0


_PATHS: dict[str, type[Work]] = {
    "ws/work": Work,
    "ws/streams": Streams,
    "ws/gate": Gate,
    "ws/impatient": Impatient,
    "ws/queue": Room,
    "ws/pubsub": PubSubRoom,
    "ws/patient": PatientRoom,
    "ws/timed": TimedRoom,
    "ws/broken": Broken,
}


def consumers(base: type[Base]) -> Iterator[tuple[str, type[Base]]]:
    """Yield each path and its consumer, on the base class of an integration."""
    for path, behaviour in _PATHS.items():
        yield path, cast(type[Base], type(behaviour.__name__, (behaviour, base), {}))
