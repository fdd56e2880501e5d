"""Finding clients that have gone without a word, on servers that send no pings."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from chanx.core._connection.sender import FrameSender
from chanx.core._runtime.tasks import spawn_apart

__all__ = ["Keepalive"]


class Keepalive:
    """Sends one client a heartbeat every `interval` seconds, unless other frames wait for the socket.

    A write to a client that is not there any more fails in the end, and the server tells that it has left. The client
    knows by the same frames that the server is there.
    """

    __slots__ = ("_interval", "_loop", "_send", "_sender", "_timer")

    def __init__(
        self, sender: FrameSender, interval: float, send: Callable[[], Coroutine[Any, Any, None]]
    ) -> None:
        self._sender = sender
        self._interval = interval
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._timer = self._loop.call_later(interval, self._beat)

    def _beat(self) -> None:
        self._timer = self._loop.call_later(self._interval, self._beat)
        if self._sender.is_idle:
            self._sender.adopt(spawn_apart(self._send()))

    def stop(self) -> None:
        """Send no more."""
        self._timer.cancel()
