"""Consumers by the documented API that this chanx and chanx 2.13.0 have in common."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from typing import Any

from driver import Options
from messages import bulk_type, message_types, models_of_classes

from chanx.core.decorators import event_handler, ws_handler
from chanx.messages.base import BaseMessage

__all__ = ["Query", "application_of", "echo_classes", "echo_consumer"]

Query = Callable[[], Awaitable[Any]]


def echo_consumer(
    base: type[Any], options: Options, messages: list[type[Any]], query: Query | None = None
) -> Any:
    """Make a consumer class that sends every message back."""
    handlers = {
        f"handle_{message.__name__}": _handler(
            message, _forever if options.waiting and number == 0 else query
        )
        for number, message in enumerate(messages)
    }
    settings: dict[str, Any] = {
        "send_completion": False,
        "log_websocket_message": options.log,
        "log_ignored_actions": [],
        "camelize": options.camelize,
        "channel_layer_alias": "default" if options.layer else None,
    }
    if options.waiting:
        settings["message_concurrency"] = 16  # as many as may be in flight
    return type("EchoConsumer", (base,), {**settings, **handlers})


async def _forever() -> None:
    await asyncio.Event().wait()


def _handler(message_type: type[Any], work: Query | None) -> Callable[..., Any]:
    async def handle(self: Any, message: Any) -> Any:
        if work is not None:
            await work()
        return message

    handle.__name__ = f"handle_{message_type.__name__}"
    return ws_handler(input_type=message_type, output_type=message_type)(handle)


def room_consumer(base: type[Any], options: Options, messages: list[type[Any]]) -> Any:
    """Make a consumer class whose connections are members of a group."""
    message, event, *_ = messages
    numbers = itertools.count()

    class RoomConsumer(base):  # type: ignore[misc]
        """Tells the group what it receives."""

        send_completion = False
        log_websocket_message = False
        channel_layer_alias = "default"
        groups = ["room"] if options.room == "shared" else []

        async def post_authentication(self) -> None:
            if options.room == "own":
                await self.join_group(f"room_{next(numbers)}")
                await self.send_json({"action": "joined"})

        @ws_handler(input_type=message, output_type=message)
        async def tell_all(self, message: Any) -> None:
            await self.broadcast_message(message)

        @ws_handler(input_type=event, output_type=message)
        async def announce(self, message: Any) -> None:
            await self.broadcast_event(message, groups=self.groups)

        @event_handler(input_type=event, output_type=event)
        async def hear(self, event: Any) -> Any:
            return event

    return RoomConsumer


def echo_classes(base: type[Any], count: int) -> list[Any]:
    """Make consumer classes, each with ten message types of its own, and return their applications."""
    return [
        echo_consumer(base, Options(), messages).as_asgi()
        for messages in models_of_classes(BaseMessage, count)
    ]


def application_of(base: type[Any], options: Options, query: Query | None = None) -> Any:
    """Make a consumer of ten message types and return its application."""
    messages = message_types(BaseMessage)
    if options.waiting:
        messages.append(bulk_type(BaseMessage))
    if options.room:
        return room_consumer(base, options, messages).as_asgi()
    return echo_consumer(base, options, messages, query).as_asgi()
