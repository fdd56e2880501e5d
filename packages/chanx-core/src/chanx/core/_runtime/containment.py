"""Keeping what goes wrong in the user's code from anything but the one message that it was about."""

import asyncio
from typing import Protocol

from chanx.core._runtime.tasks import take_back_cancellation

__all__ = ["Cancelling", "contained"]

# They end more than a message: the process, or a coroutine that nobody awaits any more.
_PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)


class Cancelling(Protocol):
    """A connection, as far as it cancels its handlers."""

    @property
    def cancels_handlers(self) -> bool:
        """True once the connection itself cancels them."""
        ...


async def contained(error: BaseException, connection: Cancelling) -> Exception:
    """Return what the hooks for failures are passed for an error; raise it again where it is no failure.

    User code may raise any BaseException, or cancel its own task: that is a failure of one message like any other. A
    cancellation by the connection, and a wish to end the process, are raised again.
    """
    if isinstance(error, Exception):
        return error
    if isinstance(error, _PASSED_ON):
        raise error
    if isinstance(error, asyncio.CancelledError):
        if connection.cancels_handlers:
            raise error
        await take_back_cancellation()
    failure = RuntimeError(f"User code raised {error!r}")
    failure.__cause__ = error
    return failure
