"""Requests of the server to its client, and the answers."""

import asyncio

from chanx.core._connection.correlation import Exchange
from chanx.core._connection.live_work import LiveWork
from chanx.core._connection.outlet import Outlet
from chanx.core._ports import MessageSender
from chanx.core._wire.envelope import REPLY_KEYS
from chanx.core.codec import Codec, WireFormat
from chanx.messages.base import BaseMessage

__all__ = ["PREFIX", "ClientRequests"]

PREFIX = "s."
"""What references of the server begin with."""


class _Request:
    """One request that waits for its answer."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec
        self.answer: asyncio.Future[BaseMessage] = asyncio.get_running_loop().create_future()


class ClientRequests:
    """Asks the client of one connection, at most `limit` things at once."""

    def __init__(
        self, outlet: Outlet, live: LiveWork, wire: WireFormat, *, max_depth: int, limit: int
    ) -> None:
        self._outlet = outlet
        self._live = live
        self._wire = wire
        self._max_depth = max_depth
        self._limit = limit
        self._number = 0
        self._codecs: dict[type[BaseMessage], Codec] = {}
        self.waiting: dict[str, _Request] = {}

    async def ask(
        self,
        message: BaseMessage,
        answer_type: type[BaseMessage],
        timeout: float | None,
        sender: MessageSender,
    ) -> BaseMessage:
        """Send a message as `sender` sends its own, and return the answer.

        Raises TimeoutError without one in time, RuntimeError where too many wait already.
        """
        if len(self.waiting) >= self._limit:
            raise RuntimeError(
                f"{len(self.waiting)} requests wait for answers of this client: raise max_requests, or ask less."
            )
        self._number += 1
        ref = f"{PREFIX}{self._number}"
        request = self.waiting[ref] = _Request(self._codec_of(answer_type))
        self._live.count(1)
        try:
            async with asyncio.timeout(timeout):
                await self._send(message, ref, sender)
                return await request.answer
        except TimeoutError:
            raise TimeoutError(
                f"The client did not answer {message.action!r} within {timeout:g} s"
            ) from None
        finally:
            del self.waiting[ref]
            self._live.count(-1)

    async def _send(self, message: BaseMessage, ref: str, sender: MessageSender) -> None:
        exchanges, task = self._outlet.exchanges, asyncio.current_task()
        outer = exchanges.of(task)
        if outer is not None and outer.held:
            # The client has to see what led to the question.
            held, outer.held = outer.held, []
            await self._outlet.send_texts(held)
        exchanges[task] = Exchange(ref)
        try:
            await sender.send_message(message)
        finally:
            if outer is None:
                del exchanges[task]
            else:
                exchanges[task] = outer

    def _codec_of(self, answer_type: type[BaseMessage]) -> Codec:
        codec = self._codecs.get(answer_type)
        if codec is None:
            codec = self._codecs[answer_type] = Codec(
                (answer_type,),
                (),
                self._wire,
                max_depth=self._max_depth,
                envelope=REPLY_KEYS | {"topic"},
            )
        return codec

    @property
    def has_sent(self) -> bool:
        """True from the first request on."""
        return self._number > 0

    def was_sent(self, ref: str) -> bool:
        """Tell whether a reference is one of a request, perhaps one that waits no more."""
        number = ref.removeprefix(PREFIX)
        return ref.startswith(PREFIX) and number.isdecimal() and 0 < int(number) <= self._number

    def cancel(self) -> None:
        """Wait for no answer any more, because the connection ends."""
        for request in self.waiting.values():
            request.answer.cancel()
