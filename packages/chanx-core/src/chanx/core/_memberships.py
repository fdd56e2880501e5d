"""The groups of one connection."""

import asyncio
from collections.abc import Iterable

from chanx.type_defs import ChannelLayer
from chanx.utils.logging import logger

__all__ = ["Memberships"]


class Memberships:
    """Joins and leaves groups of the channel layer, and knows what has to be left at the end."""

    __slots__ = ("_channel", "_joined", "_layer", "_timeout")

    def __init__(self, layer: ChannelLayer, channel: str, *, timeout: float) -> None:
        self._layer = layer
        self._channel = channel
        self._timeout = timeout
        self._joined: set[str] = set()

    async def join(self, group: str) -> None:
        """Join a group. Raises what the layer raises, TimeoutError when it does not answer."""
        # Noted first: a join that was cancelled half-way may have happened.
        self._joined.add(group)
        async with asyncio.timeout(self._timeout):
            await self._layer.group_add(group, self._channel)

    async def leave(self, group: str) -> None:
        """Leave a group, joined here or not."""
        async with asyncio.timeout(self._timeout):
            await self._layer.group_discard(group, self._channel)
        self._joined.discard(group)

    async def leave_all(self, others: Iterable[str] = ()) -> None:
        """Leave every group joined here, and the others; a failure is logged and keeps none of the rest."""
        groups = self._joined.union(others)
        self._joined = set()
        for group in groups:
            try:
                async with asyncio.timeout(self._timeout):
                    await self._layer.group_discard(group, self._channel)
            except Exception as error:  # a layer may raise anything
                logger.warning("Could not leave group", group=group, error=repr(error))
