"""The time in which a channel layer does not answer."""

import asyncio
from collections.abc import Awaitable, Callable

from chanx.core._runtime.tasks import spawn_apart, stop_task
from chanx.core._telemetry.counters import counters
from chanx.utils.logging import logger

__all__ = ["Outage"]

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 1.0
# Attempts without a delay between them: a pool may hold several connections that broke with the server, which show only
# when they are used.
_ATTEMPTS = 5
# A layer that fails again so soon has not really come back: the delays go on growing.
_PROBATION = 10.0


class Outage:
    """Tries for everybody at once whether a layer that failed is back.

    `answers` raises while it is not, and `resume` is called when it is. `describe` names the layer in the log.
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
        """True while the layer does not answer, and for good where it did not when nobody needed it any more."""
        return self._trying is not None or self._is_given_up

    async def over(self, error: BaseException) -> None:
        """Wait until the layer answers again; for ever, once nobody tries any more."""
        if self._is_stopped:
            await asyncio.get_running_loop().create_future()
        if self._trying is None:
            self._trying = spawn_apart(self._try(error))
        await asyncio.wait([self._trying])

    async def stop(self) -> None:
        """Try no longer: nobody needs the layer any more."""
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
