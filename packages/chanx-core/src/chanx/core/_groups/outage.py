"""Outages: the time in which a channel layer does not answer."""

import asyncio
from collections.abc import Awaitable, Callable

from chanx.core._runtime.tasks import spawn_apart, stop_task
from chanx.core._telemetry.counters import counters
from chanx.utils.logging import logger

__all__ = ["Outage"]

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 1.0
# Attempts without a delay between them: a pool may hold several broken connections, and each shows only in use.
_ATTEMPTS = 5
# A layer that fails again within so many seconds was not stable: the delays keep growing.
_PROBATION = 10.0


class Outage:
    """Retries a failed layer once for all its users.

    `answers` raises while the layer is down, and `resume` is called when it is back. `describe` names it in the log.
    """

    def __init__(
        self,
        answers: Callable[[], Awaitable[None]],
        resume: Callable[[], None],
        describe: Callable[[], str],
    ) -> None:
        self._answers = answers
        self._resume = resume
        self._describe = describe
        self._delay = _FIRST_DELAY
        self._ended = float("-inf")
        self._trying: asyncio.Task[None] | None = None
        self._is_stopped = False
        self._is_given_up = False

    @property
    def is_on(self) -> bool:
        """True while the layer does not answer; stays true if it did not answer when `stop()` was called."""
        return self._trying is not None or self._is_given_up

    async def over(self, error: BaseException) -> None:
        """Wait until the layer answers again; after `stop()`, wait for ever."""
        if self._is_stopped:
            await asyncio.get_running_loop().create_future()
        if self._trying is None:
            self._trying = spawn_apart(self._try(error))
        await asyncio.wait([self._trying])

    async def stop(self) -> None:
        """Stop retrying: the layer is not needed any more."""
        self._is_stopped = True
        self._is_given_up = self.is_on
        if self._trying is not None:
            await stop_task(self._trying)

    async def _try(self, error: BaseException) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        counters.outages += 1
        logger.error("Channel layer failed: %s: %r", self._describe(), error, exc_info=error)
        if began - self._ended > _PROBATION:
            self._delay = _FIRST_DELAY
        try:
            while not await self._is_back():
                pass
        finally:
            self._trying = None
        self._ended = loop.time()
        seconds = self._ended - began
        logger.warning("Channel layer is back after %.1f s: %s", seconds, self._describe())
        self._resume()

    async def _is_back(self) -> bool:
        await asyncio.sleep(self._delay)
        self._delay = min(2 * self._delay, _LONGEST_DELAY)
        for _ in range(_ATTEMPTS):
            try:
                await self._answers()
            except TimeoutError:
                return False
            except Exception:  # a layer may raise anything
                continue
            return True
        return False
