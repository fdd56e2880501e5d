"""Limiting a failure of user code to the message that was being handled."""

import asyncio
from typing import Protocol

from chanx.core._runtime.tasks import take_back_cancellation

__all__ = ["Cancelling", "contained"]

# These end more than a message: the process, or a coroutine that is being closed.
_PASSED_ON = (KeyboardInterrupt, SystemExit, GeneratorExit)


class Cancelling(Protocol):
    """A connection, as far as it cancels its handlers."""

    @property
    def cancels_handlers(self) -> bool:
        """True once the connection itself cancels them."""
        ...


async def contained(error: BaseException, connection: Cancelling) -> Exception:
    """Return the exception that the error hooks get for an error; raise it again if it is not a failure.

    User code may raise any BaseException, or cancel its own task: both are failures of one message. A cancellation by
    the connection is raised again, and so is an exception that ends the process.
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
