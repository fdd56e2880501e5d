"""What everything that sends on one connection shares."""

from collections.abc import Callable

from pydantic_core import to_json

from chanx.constants import ENVELOPE_VERSION
from chanx.core._connection.correlation import Exchanges
from chanx.core._connection.message_log import MessageLog
from chanx.core._connection.sender import FrameSender
from chanx.core.codec import BEFORE_REF, Codec
from chanx.messages.base import BaseMessage
from chanx.type_defs import JSONObject

__all__ = ["TOPIC_BEFORE_REF", "Outlet", "TopicOutlet", "topic_ending"]

TOPIC_BEFORE_REF = ',"ref":'


class Outlet:
    """The way to the client: the socket, the log of messages, what is being answered, and how messages are written."""

    __slots__ = ("codec", "encode", "exchanges", "log", "sender")

    before_ref = BEFORE_REF
    """What stands between a message and its `ref`."""

    def __init__(
        self, sender: FrameSender, log: MessageLog, exchanges: Exchanges, codec: Codec
    ) -> None:
        self.sender = sender
        self.log = log
        self.exchanges = exchanges
        self.codec = codec
        self.encode: Callable[[BaseMessage], str] = codec.encode
        """Writes a message, without the `ref` that it may answer."""

    def encode_object(self, content: JSONObject) -> str:
        """Write a message that is a dictionary already."""
        return self.codec.encode_object(content)

    def topic(self, codec: Codec, name: str) -> "TopicOutlet":
        """Return the way to the client for the messages of a topic."""
        return TopicOutlet(self, codec, name)

    async def send_texts(self, texts: list[str]) -> None:
        """Send frames that were held."""
        for text in texts:
            await self.sender.send({"type": "websocket.send", "text": text})


class TopicOutlet(Outlet):
    """The same way, for messages that carry the name of a topic."""

    __slots__ = ("_ending",)

    before_ref = TOPIC_BEFORE_REF

    def __init__(self, outlet: Outlet, codec: Codec, name: str) -> None:
        super().__init__(outlet.sender, outlet.log, outlet.exchanges, codec)
        self._ending = topic_ending(name)
        self.encode = self._write

    def encode_object(self, content: JSONObject) -> str:
        """Write a message that is a dictionary already."""
        return f"{self.codec.encode_object(content)[:-1]}{self._ending}"

    def _write(self, message: BaseMessage) -> str:
        return f"{self.codec.encode(message)[:-1]}{self._ending}"


def topic_ending(name: str) -> str:
    """Return the end of a frame of a topic, from behind the message's own keys."""
    return f',"version":{ENVELOPE_VERSION},"topic":{to_json(name).decode()}}}'
