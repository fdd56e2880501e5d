"""Sending to consumers by way of the channel layer: from a connection, or from anywhere else in any process."""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from typing import Any, ClassVar, Generic

from asgiref.sync import async_to_sync
from typing_extensions import TypeVar

from chanx.core._declarations.options import ConsumerOptions
from chanx.core._groups.addresses import addresses_of
from chanx.core._groups.announcer import announcer_of
from chanx.core._telemetry.failure_log import mark_layer_failure
from chanx.core._user_classes import is_of_library
from chanx.core.layers import (
    REFUSALS,
    LayerTraits,
    ProcessLayer,
    check_group_name,
    layer_alias,
    no_layer,
)
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.type_defs import ChannelLayer, EventPayload, GroupMessageEvent

__all__ = ["Publisher", "ReceiveEvent"]

ReceiveEvent = TypeVar("ReceiveEvent", bound=BaseMessage, default=BaseMessage)

# What layers raise for a message that they refuse, or cannot write: a number of 65 bits, say.
_UNWRITABLE: tuple[type[Exception], ...] = (*REFUSALS, OverflowError)


def _no_channel_layer(alias: str) -> ChannelLayer | None:
    """Return None: a consumer without integration has no channel layer."""
    return None


class Publisher(ConsumerOptions, Generic[ReceiveEvent]):
    """The side of a consumer class that needs no connection: its channel layer, and what is sent through it."""

    # Set by integrations.
    get_channel_layer: ClassVar[Any] = staticmethod(_no_channel_layer)
    process_layer: ClassVar[ProcessLayer | None] = None
    """Used where no layer at all is registered and the class names none."""

    layer_setting: ClassVar[str] = "channel layer '{alias}'"
    """What the application writes to have the layer of an alias, for errors and logs."""

    groups: list[str] = []  # noqa: RUF012 - each instance gets its own list
    extra_groups: ClassVar[Sequence[str]] = ()
    spec: ClassVar[ConsumerSpec]
    has_own_alias: ClassVar[bool] = False
    """True where the application has written `channel_layer_alias`: that layer has to exist."""

    @classmethod
    def _find_layer(cls) -> ChannelLayer | None:
        """Return the layer of the class's alias, or that of the process where no layer at all is registered.

        Raises LookupError where the class names an alias that does not exist.
        """
        alias = layer_alias(cls)
        layer: ChannelLayer | None = cls.get_channel_layer(alias) if alias else None
        if layer is not None or not alias:
            return layer
        aliases = list(cls.layer_aliases())
        if cls.has_own_alias or alias != "default":
            raise LookupError(
                f"{no_layer(cls)} Registered aliases: {', '.join(map(repr, aliases)) or 'none'}."
            )
        return None if aliases or cls.process_layer is None else cls.process_layer.layer

    @classmethod
    def _names_its_layer(cls) -> bool:
        owner = next(base for base in cls.__mro__ if "channel_layer_alias" in vars(base))
        # An alias that a class of the library sets is a default, not a user's choice.
        return not is_of_library(owner)

    @classmethod
    def layer_traits(cls, layer: Any) -> LayerTraits:
        """Return what may be assumed of a layer. Integrations know those of their framework."""
        return LayerTraits()

    @classmethod
    def describe_layer(cls, layer: Any) -> str:
        """Name a layer of the class in errors and logs: its setting, its class, its address without credentials."""
        if cls.process_layer_of(layer) is not None:
            return "the in-memory layer of this process"
        setting = cls.layer_setting.format(alias=layer_alias(cls))
        address = addresses_of(layer)
        return f"{setting} ({type(layer).__name__}{address and ' at '}{address})"

    @classmethod
    def layer_summary(cls) -> str:
        """Say which channel layer the class finds. Raises LookupError where it names an alias that does not exist."""
        layer = cls._find_layer()
        process_layer = cls.process_layer_of(layer)
        if process_layer is not None:
            return process_layer.explanation
        return no_layer(cls) if layer is None else f"{cls.describe_layer(layer)} is used."

    @classmethod
    def layer_aliases(cls) -> Iterable[str]:
        """Return the registered aliases, for error messages."""
        return ()

    @classmethod
    async def send_event(cls, event: ReceiveEvent, channel_name: str) -> None:
        """Send an event to the consumer that listens on one channel.

        Raises what the layer raises when the channel is full, and TypeError for an event that the class does not
        handle.
        """
        cls.spec.check_event(event)
        layer = cls._layer()
        try:
            async with asyncio.timeout(cls.layer_timeout):
                await layer.send(channel_name, _event_payload(event))
        except _UNWRITABLE:
            raise
        except Exception as error:  # a layer may raise anything
            cls._explain(error, layer)
            raise

    @classmethod
    def send_event_sync(cls, event: ReceiveEvent, channel_name: str) -> None:
        """Do `send_event()` from code that is not async."""
        async_to_sync(cls.send_event)(event, channel_name)

    @classmethod
    async def broadcast_event(
        cls, event: ReceiveEvent, groups: Collection[str] | str | None = None
    ) -> None:
        """Send an event to every member of the groups, those of the class by default.

        Raises TypeError for an event that the class does not handle, and for an invalid name of a group.
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
        layer = cls._layer()
        timeout = cls.layer_timeout
        announcer = announcer_of(layer)
        announcer.announce_soon(layer, is_local=cls.layer_traits(layer).is_local, timeout=timeout)
        for group in _group_names(groups):
            stamp = announcer.stamp(group)
            try:
                async with asyncio.timeout(timeout):
                    await layer.group_send(group, {**message, **stamp})
            except _UNWRITABLE as refusal:
                announcer.take_back(group, stamp)  # nobody misses what could not be sent
                check_group_name(cls, group, refusal)
                raise
            except Exception as error:  # a layer may raise anything
                cls._explain(error, layer)
                raise

    @classmethod
    def _explain(cls, error: Exception, layer: ChannelLayer) -> None:
        """Say in a layer's error which layer it was."""
        mark_layer_failure(error, layer)
        name = cls.describe_layer(layer)
        if isinstance(error, TimeoutError) and not error.args:
            error.args = (f"{name} did not answer within {cls.layer_timeout:g} s",)
        else:
            error.add_note(f"The layer is {name}.")

    @classmethod
    def _layer(cls) -> ChannelLayer:
        layer = cls._find_layer()
        if layer is None:
            raise RuntimeError(no_layer(cls))
        process_layer = cls.process_layer_of(layer)
        if process_layer is not None:
            process_layer.announce()
        return layer

    @classmethod
    def process_layer_of(cls, layer: ChannelLayer | None) -> ProcessLayer | None:
        """Return `process_layer` where this is its layer."""
        own = cls.process_layer
        return own if own is not None and own.layer is layer else None


def _event_payload(event: BaseMessage) -> EventPayload:
    return {"type": "handle_channel_event", "event_data": event.model_dump(mode="json")}


def _group_names(groups: Collection[str] | str) -> list[str]:
    if isinstance(groups, str):
        return [groups]
    try:
        return list(dict.fromkeys(groups))
    except TypeError as error:  # no collection, or a list in it
        raise TypeError(f"Groups must be a name or a list of names, and are {groups!r}.") from error
