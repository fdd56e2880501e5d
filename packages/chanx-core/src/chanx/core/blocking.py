"""Finding handlers that block the event loop."""

import asyncio
import sys
import threading
from types import FrameType
from typing import TYPE_CHECKING, Any

from chanx.core.observers import Observer
from chanx.utils.logging import logger

if TYPE_CHECKING:
    from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["BlockingWatch"]

_OURS = "chanx.core"


class BlockingWatch(Observer):
    """Warns when an event loop has not answered for so many `seconds`, and says where it was at that moment.

    Give one to `add_observer()`. While connections are open, a thread asks their event loop for a sign of life, a few
    times in `seconds`; messages cost nothing more.
    """

    def __init__(self, seconds: float = 0.2) -> None:
        if seconds <= 0:
            raise ValueError(f"seconds has to be positive, but it is {seconds!r}")
        self._seconds = seconds
        self._pulses: dict[asyncio.AbstractEventLoop, _Pulse] = {}

    def on_connect(self, consumer: "ChanxWebsocketConsumerMixin[Any]") -> None:
        """Watch the event loop of the connection."""
        loop = asyncio.get_running_loop()
        pulse = self._pulses.get(loop)
        if pulse is None:
            pulse = self._pulses[loop] = _Pulse(loop, self._seconds)
        pulse.connections += 1

    def on_close(self, consumer: "ChanxWebsocketConsumerMixin[Any]", code: int) -> None:
        """End the watch with the last connection."""
        loop = asyncio.get_running_loop()
        pulse = self._pulses.get(loop)
        if pulse is None:
            return
        pulse.connections -= 1
        if not pulse.connections:
            del self._pulses[loop]
            pulse.stop()


class _Pulse:
    """Asks one event loop for signs of life, from a thread that ends with `stop()`."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float) -> None:
        self.connections = 0
        self._loop = loop
        self._seconds = seconds
        self._watched = threading.get_ident()
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="chanx blocking watch", daemon=True).start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._seconds / 4):
            alive = threading.Event()
            try:
                self._loop.call_soon_threadsafe(alive.set)
            except RuntimeError:  # closed
                return
            if not alive.wait(self._seconds):
                self._report()
            # Once for each time that it is blocked.
            while not alive.wait(self._seconds) and not self._stopped.is_set():
                pass

    def _report(self) -> None:
        # Documented, in spite of its name.
        frames = sys._current_frames()  # pyright: ignore[reportPrivateUsage]
        frame = frames.get(self._watched)
        if frame is None:
            return
        logger.warning(
            "The event loop is blocked for more than %g s by %s, at %s:%d",
            self._seconds,
            _handler(frame),
            frame.f_code.co_filename,
            frame.f_lineno,
        )


def _handler(innermost: FrameType) -> str | None:
    """Return which function the library had called: a handler, or a hook."""
    called: FrameType | None = None
    frame: FrameType | None = innermost
    while frame is not None:
        if str(frame.f_globals.get("__name__", "")).startswith(_OURS):
            return None if called is None else called.f_code.co_qualname
        called, frame = frame, frame.f_back
    return None
