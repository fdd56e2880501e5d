"""Sending a message to every member of groups."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from chanx.core._declarations.channel_layer import ChannelLayerChoice
from chanx.core._groups.announcer import announcer_of
from chanx.core.layers import REFUSALS, check_group_name

__all__ = ["UNWRITABLE", "send_to_groups"]

UNWRITABLE: tuple[type[Exception], ...] = (*REFUSALS, OverflowError)
"""What layers raise for a message that they refuse, or cannot write: a number of 65 bits, say."""


# Any: a message of the layer.
async def send_to_groups(
    sender: type, choice: ChannelLayerChoice, groups: Iterable[str], message: Mapping[str, Any]
) -> None:
    """Send a message of the layer to groups; `sender` is named in errors.

    Raises LayerUnavailableError, TypeError for an invalid group, and what `choice.require()` raises.
    """
    layer = choice.require()
    timeout = choice.timeout
    announcer = announcer_of(layer)
    announcer.announce_soon(layer, is_local=choice.traits(layer).is_local, timeout=timeout)
    for group in groups:
        stamp = announcer.stamp(group)
        try:
            async with asyncio.timeout(timeout):
                await layer.group_send(group, {**message, **stamp})
        except UNWRITABLE as refusal:
            announcer.take_back(group, stamp)  # nobody misses what could not be sent
            check_group_name(sender, group, refusal)
            raise
        except Exception as error:  # a layer may raise anything
            raise choice.unavailable(error, layer) from error
