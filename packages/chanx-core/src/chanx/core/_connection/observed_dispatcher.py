"""Handling client frames under the eyes of observers."""

from typing import Any

from chanx.core._connection.dispatcher import FrameDispatcher
from chanx.core._connection.sender import FrameSender
from chanx.core._ports import HandlingConsumer, Notifications
from chanx.core._runtime.containment import contained
from chanx.core._wire.error_frames import InvalidFrameError
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage

__all__ = ["ObservedDispatcher"]


class ObservedDispatcher(FrameDispatcher):
    """Tells what happens on the way; connections that nobody observes do not have one."""

    __slots__ = ("_notifier",)

    def __init__(
        self,
        consumer: HandlingConsumer,
        codec: Codec,
        sender: FrameSender,
        notifier: Notifications,
    ) -> None:
        super().__init__(consumer, codec, sender)
        self._notifier = notifier
        self._writes_results = False  # every result passes `_send_result()`

    async def run_handler(self, message: BaseMessage) -> None:
        """Call the message's handler and send what it returns."""
        with self._notifier.handling(message):
            await super().run_handler(message)

    async def _send_result(self, result: Any) -> None:
        await super()._send_result(result)
        if self._sends_results:
            self._notifier.replied(result)

    async def _tell_failure(self, error: Exception, message: BaseMessage) -> None:
        self._notifier.failed(error, message)
        await super()._tell_failure(error, message)

    async def _contain(self, error: BaseException) -> None:
        failure = await contained(error, self._consumer.connection)
        self._notifier.failed(failure)
        await super()._contain(failure)

    async def reject(self, error: InvalidFrameError) -> None:
        """Answer a frame that is no message."""
        self._notifier.failed(error.error)
        await super().reject(error)
