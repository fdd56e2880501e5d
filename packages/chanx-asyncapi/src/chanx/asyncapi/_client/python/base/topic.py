"""Topics: many typed channels on one connection."""

import re
from collections.abc import AsyncIterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Self, TypeVar, cast

from pydantic import BaseModel

from .errors import ClientError
from .exchange import Inbox

if TYPE_CHECKING:
    from .client import BaseClient

__all__ = ["BaseTopic"]

T = TypeVar("T")
_PARAMETER = re.compile(r"\{([^{}]+)\}")
_MAX_LENGTH = 256


class BaseTopic(Generic[T]):
    """One topic: `room = await client.room_topic(name="lobby").subscribe()`, then `async for event in room`.

    The subscription survives reconnects. `on_resync()` of the client is called with its name when events may have been
    missed: after each reconnect, unless the topic has a history from which they are recovered.
    """

    pattern: ClassVar[str] = ""
    incoming: ClassVar[Mapping[str, Any]] = {}  # Any: a message type, or a union

    def __init__(self, client: "BaseClient", parameters: Mapping[str, object]) -> None:
        for name, value in parameters.items():
            if not str(value) or ":" in str(value):
                raise ValueError(
                    f"{name}={value!r} of {self.pattern!r} may not be empty or hold ':'"
                )
        self.name: str = _PARAMETER.sub(lambda found: str(parameters[found[1]]), self.pattern)
        if len(self.name) > _MAX_LENGTH:
            raise ValueError(f"The name of a topic has at most {_MAX_LENGTH} characters")
        self.client = client
        self.seq: int | None = None
        """The offset of the last event, where events have one."""
        self.inbox: Inbox[T] = Inbox(client.max_received)
        self.is_subscribed = False
        """Whether the server has confirmed it; then it is subscribed again after a reconnect."""
        self.cursor: str | None = None
        """Up to where events were received, where the topic has a history: they go on from there after a reconnect."""
        self.recovered = False
        """Whether everything that was missed follows the last confirmation."""

    async def subscribe(self) -> Self:
        """Subscribe. Raises TopicRefused if the server does not allow it."""
        if self.client.topics.get(self.name, self) is not self:
            raise ClientError(f"{self.name!r} is subscribed already")
        self.inbox = Inbox(self.client.max_received)
        self.cursor = None
        self.client.topics[self.name] = self
        try:
            await self.client.ask_about_topic("subscribe", self)
        except BaseException:
            self.client.topics.pop(self.name, None)
            raise
        self.is_subscribed = True
        return self

    def confirm(self, payload: Any) -> None:
        """Take what a confirmation says. Any: what the server sent."""
        said = cast("dict[str, Any]", payload if isinstance(payload, dict) else {})
        self.cursor, self.recovered = said.get("cursor"), bool(said.get("recovered"))

    async def unsubscribe(self) -> None:
        """Give the topic up; iterating over it ends."""
        if self.client.topics.get(self.name) is self:
            del self.client.topics[self.name]
            self.is_subscribed = False
            self.inbox.end()
            if self.client.is_open:
                await self.client.ask_about_topic("unsubscribe", self)

    async def __aenter__(self) -> Self:
        return await self.subscribe()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            await self.unsubscribe()
        except ClientError as lost:
            self.client.report_error(lost)

    def __aiter__(self) -> AsyncIterator[T]:
        return self.inbox

    async def send(self, message: BaseModel) -> None:
        """Send a message to the topic, and wait for no answer."""
        await self.client.send(message, topic=self)
