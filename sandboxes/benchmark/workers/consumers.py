"""Consumers by the documented API that this chanx and chanx 2.13.0 have in common."""

import asyncio
from collections.abc import Callable
from typing import Any

from driver import Options
from messages import message_types, models_of_classes

from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage

__all__ = ["echo_application", "echo_classes"]


def echo_consumer(base: type[Any], options: Options, messages: list[type[Any]]) -> Any:
    """Make a consumer class that sends every message back."""
    handlers = {
        f"handle_{message.__name__}": _handler(message, options.waiting and number == 0)
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


def _handler(message_type: type[Any], waiting: bool) -> Callable[..., Any]:
    async def handle(self: Any, message: Any) -> Any:
        if waiting:
            await asyncio.Event().wait()
        return message

    handle.__name__ = f"handle_{message_type.__name__}"
    return ws_handler(input_type=message_type, output_type=message_type)(handle)


def echo_classes(base: type[Any], count: int) -> list[Any]:
    """Make consumer classes, each with ten message types of its own, and return their applications."""
    return [
        echo_consumer(base, Options(), messages).as_asgi()
        for messages in models_of_classes(BaseMessage, count)
    ]


def echo_application(base: type[Any], options: Options) -> Any:
    """Make a consumer of ten message types and return its application."""
    return echo_consumer(base, options, message_types(BaseMessage)).as_asgi()
