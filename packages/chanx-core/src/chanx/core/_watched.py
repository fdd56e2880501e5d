"""Handling client frames under the eyes of observers."""

from typing import TYPE_CHECKING, Any

from chanx.core._containment import contained
from chanx.core._dispatch import FrameDispatcher
from chanx.core._errors import InvalidFrameError
from chanx.core._outbox import Outbox
from chanx.core._watch import Watch
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["WatchedDispatcher"]


class WatchedDispatcher(FrameDispatcher):
    """Tells what happens on the way; connections that nobody observes do not have one."""

    __slots__ = ("_watch",)

    def __init__(
        self,
        consumer: "ChanxWebsocketConsumerMixin[Any]",
        codec: Codec,
        outbox: Outbox,
        watch: Watch,
    ) -> None:
        super().__init__(consumer, codec, outbox)
        self._watch = watch
        self._writes_results = False  # every result passes `_send_result()`

    async def run_handler(self, message: BaseMessage) -> None:
        """Call the message's handler and send what it returns."""
        with self._watch.handling(message):
            await super().run_handler(message)

    async def _send_result(self, result: Any) -> None:
        await super()._send_result(result)
        if self._sends_results:
            self._watch.replied(result)

    async def _tell_failure(self, error: Exception, message: BaseMessage) -> None:
        self._watch.failed(error, message)
        await super()._tell_failure(error, message)

    async def _contain(self, error: BaseException) -> None:
        failure = await contained(error, self._consumer.connection)
        self._watch.failed(failure)
        await super()._contain(failure)

    async def reject(self, error: InvalidFrameError) -> None:
        """Answer a frame that is no message."""
        self._watch.failed(error.error)
        await super().reject(error)
