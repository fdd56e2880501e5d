"""What everything that sends on one connection shares."""

from chanx.core._connection.correlation import Exchanges
from chanx.core._connection.message_log import MessageLog
from chanx.core._connection.sender import FrameSender

__all__ = ["Outlet"]


class Outlet:
    """The way to the client: the socket, the log of messages, and what is being answered."""

    __slots__ = ("exchanges", "log", "sender")

    def __init__(self, sender: FrameSender, log: MessageLog) -> None:
        self.sender = sender
        self.log = log
        self.exchanges: Exchanges = Exchanges()

    async def send_texts(self, texts: list[str]) -> None:
        """Send frames that were held."""
        for text in texts:
            await self.sender.send({"type": "websocket.send", "text": text})
