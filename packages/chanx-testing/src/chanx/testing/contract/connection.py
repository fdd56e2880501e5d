"""The connection of a contract test, which knows when nothing more comes."""

from chanx.testing.quiet import until
from chanx.testing.socket import WebsocketConnection
from chanx.type_defs import ASGIEvent

__all__ = ["ContractConnection"]


class ContractConnection(WebsocketConnection):
    """A raw connection whose events are taken one by one."""

    async def next_event(self, timeout: float) -> ASGIEvent | None:
        """Return the next event; None once none can come before the client sends something.

        Raises TimeoutError where neither is known in time, and what the application raised.
        """
        if not await self._until(self._has_event, timeout, self._is_idle):
            # The reason, where the consumer cannot be asked.
            await self.idle(timeout=0)
        self._raise_failure()
        return self.output_queue.take()

    async def next_at_once(self) -> ASGIEvent | None:
        """Return the next event, if it comes within a few turns of the event loop."""
        await until(self._has_event, None, quiet=lambda: True)
        return self.output_queue.take()

    def _has_event(self) -> bool:
        return not self.output_queue.empty()
