"""Sending to consumers by way of the channel layer: from a connection, or from anywhere else in any process."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Generic

from asgiref.sync import async_to_sync
from typing_extensions import TypeVar

from chanx.core._declarations.options import ConsumerOptions
from chanx.core._groups.sending import UNWRITABLE, send_to_groups
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.type_defs import ChannelLayer, EventPayload, GroupMessageEvent

__all__ = ["Publisher", "ReceiveEvent"]

ReceiveEvent = TypeVar("ReceiveEvent", bound=BaseMessage, default=BaseMessage)


def _no_channel_layer(alias: str) -> ChannelLayer | None:
    """Return None: a consumer without integration has no channel layer."""
    return None


class Publisher(ConsumerOptions, Generic[ReceiveEvent]):
    """The side of a consumer class that needs no connection: what is sent through its channel layer."""

    # Any: each library annotates its layers in its own way.
    get_channel_layer: ClassVar[Any] = staticmethod(_no_channel_layer)
    """Find the channel layer of an alias."""

    groups: list[str] = []  # noqa: RUF012 - each instance gets its own list
    extra_groups: ClassVar[Sequence[str]] = ()
    spec: ConsumerSpec

    @classmethod
    async def send_event(cls, event: ReceiveEvent, channel_name: str) -> None:
        """Send an event to the consumer that listens on one channel.

        Raises LayerUnavailableError, `ChannelFull` of the framework where the channel has no room, and TypeError for an
        event that the class does not handle.
        """
        cls.spec.check_event(event)
        choice = cls.spec.layer
        layer = choice.require()
        try:
            async with asyncio.timeout(cls.layer_timeout):
                await layer.send(channel_name, _event_payload(event))
        except (*UNWRITABLE, *choice.full_errors):
            raise
        except Exception as error:  # a layer may raise anything
            raise choice.unavailable(error, layer) from error

    @classmethod
    def send_event_sync(cls, event: ReceiveEvent, channel_name: str) -> None:
        """Do `send_event()` from code that is not async."""
        async_to_sync(cls.send_event)(event, channel_name)

    @classmethod
    async def broadcast_event(
        cls, event: ReceiveEvent, groups: Collection[str] | str | None = None
    ) -> None:
        """Send an event to every member of the groups, those of the class by default.

        Raises LayerUnavailableError, and TypeError for an event that the class does not handle or an invalid group.
        """
        cls.spec.check_event(event)
        names = [*cls.groups, *cls.spec.extra_groups] if groups is None else groups
        await cls._send_to_groups(names, _event_payload(event))

    @classmethod
    def broadcast_event_sync(
        cls, event: ReceiveEvent, groups: Collection[str] | str | None = None
    ) -> None:
        """Do `broadcast_event()` from code that is not async."""
        async_to_sync(cls.broadcast_event)(event, groups)

    @classmethod
    async def _send_to_groups(
        cls, groups: Collection[str] | str, message: GroupMessageEvent | EventPayload
    ) -> None:
        await send_to_groups(cls, cls.spec.layer, _group_names(groups), message)


def _event_payload(event: BaseMessage) -> EventPayload:
    return {"type": "handle_channel_event", "event_data": event.model_dump(mode="json")}


def _group_names(groups: Collection[str] | str) -> list[str]:
    if isinstance(groups, str):
        return [groups]
    try:
        return list(dict.fromkeys(groups))
    except TypeError as error:  # no collection, or a list in it
        raise TypeError(f"Groups must be a name or a list of names, and are {groups!r}.") from error
