"""The channel of the layer on which one connection can be reached."""

import asyncio
from collections.abc import Callable
from typing import cast

from chanx.core._groups.outage import Outage
from chanx.core._runtime.tasks import spawn_apart
from chanx.type_defs import ASGIEvent, ChannelLayer

__all__ = ["Mailbox"]


class Mailbox:
    """Receives what is sent to one connection's own channel, and gives it to `take`.

    Where the layer allows it, the channel exists only from when somebody asks for its name: before, nobody can have
    sent anything there. Once closed, it has a name for those who ask, and receives nothing.
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
        """Get a channel now. Raises what the layer raises."""
        self.name = await self._layer.new_channel()
        self.listen()

    def listen(self) -> str:
        """Return the channel's name, and listen to it from now on unless the mailbox is closed."""
        if not self.name:
            self.name = _at_once(self._layer)
        if self._pumping is None and not self._is_closed:
            self._pumping = spawn_apart(self._pump())
        return self.name

    def close(self) -> "asyncio.Task[None] | None":
        """Take nothing more; the task that has to be ended is returned."""
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
    """Run `new_channel()` of a layer that does not wait there."""
    making = cast("asyncio.Future[str]", layer.new_channel()).__await__()
    try:
        next(making)
    except StopIteration as made:
        return cast(str, made.value)
    making.close()
    raise RuntimeError(f"{type(layer).__name__}.new_channel() waits; it was declared not to.")
