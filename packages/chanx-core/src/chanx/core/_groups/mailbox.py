"""The channel of one connection in the channel layer."""

import asyncio
from collections.abc import Callable
from typing import cast

from chanx.core._groups.outage import Outage
from chanx.core._runtime.tasks import spawn_apart
from chanx.type_defs import ASGIEvent, ChannelLayer

__all__ = ["Mailbox"]


class Mailbox:
    """Receives what is sent to one connection's own channel, and passes it to `take`.

    If the layer allows it, the channel is created when its name is first requested: before that, nothing can have been
    sent to it. After closing, the name can still be requested, but nothing is received.
    """

    __slots__ = ("_is_closed", "_layer", "_outage", "_pumping", "_take", "name")

    def __init__(
        self, layer: ChannelLayer, outage: Outage, take: Callable[[ASGIEvent], None]
    ) -> None:
        self._layer = layer
        self._outage = outage
        self._take = take
        self._pumping: asyncio.Task[None] | None = None
        self._is_closed = False
        self.name = ""

    async def open(self) -> None:
        """Create the channel now. Raises what the layer raises."""
        self.name = await self._layer.new_channel()
        self.listen()

    def listen(self) -> str:
        """Return the channel's name, and start listening unless the mailbox is closed."""
        if not self.name:
            self.name = _at_once(self._layer)
        if self._pumping is None and not self._is_closed:
            self._pumping = spawn_apart(self._pump())
        return self.name

    def close(self) -> "asyncio.Task[None] | None":
        """Stop taking messages; return the task that the caller has to end."""
        self._is_closed = True
        return self._pumping

    async def _pump(self) -> None:
        while True:
            try:
                message = await self._layer.receive(self.name)
            except Exception as error:  # a layer may raise anything
                await self._outage.over(error)
            else:
                if not self._is_closed:
                    self._take(message)


def _at_once(layer: ChannelLayer) -> str:
    """Run `new_channel()` of a layer whose implementation does not suspend."""
    making = cast("asyncio.Future[str]", layer.new_channel()).__await__()
    try:
        next(making)
    except StopIteration as made:
        return cast(str, made.value)
    making.close()
    raise RuntimeError(f"{type(layer).__name__}.new_channel() waits; it was declared not to.")
