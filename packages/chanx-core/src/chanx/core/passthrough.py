"""Events that go to the client as they are."""

from typing import Any

from chanx.core.decorators import event_handler
from chanx.core.integration import Integration
from chanx.core.spec import ConsumerSpec
from chanx.messages.base import BaseMessage
from chanx.utils.text import snake_case

__all__ = ["add_passthrough_handlers"]


def add_passthrough_handlers(owner: type, prefix: str, integration: Integration) -> None:
    """Give the class a handler for each of its `passthrough_events` that has none of its own."""
    declared = ConsumerSpec(owner, integration)
    for message_type in declared.passthrough_events:
        name = f"{prefix}{snake_case(message_type.__name__)}"
        if message_type not in declared.incoming_events and not hasattr(owner, name):
            setattr(owner, name, _passthrough(name, message_type))


def _passthrough(name: str, message_type: type[BaseMessage]) -> Any:
    async def forward(self: object, event: BaseMessage) -> BaseMessage:
        return event

    forward.__name__ = name
    forward.__qualname__ = name
    description = f"Passthrough handler for {message_type.__name__}"
    return event_handler(
        forward, input_type=message_type, output_type=message_type, description=description
    )
