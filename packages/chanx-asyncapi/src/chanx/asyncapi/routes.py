"""What discovery hands over: which consumer is reached at which address."""

from dataclasses import dataclass, field
from typing import Any, TypeGuard

from chanx.asyncapi.requirements import Requirements
from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["Consumer", "ConsumerRoute", "Parameter", "is_consumer"]

# Any: which events a consumer can be sent is no business of a document.
Consumer = type[ChanxWebsocketConsumerMixin[Any]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One variable part of an address; `kind` is a converter's name, or `regex: ...`."""

    name: str
    kind: str = "str"


@dataclass(frozen=True, slots=True)
class ConsumerRoute:
    """A consumer and its address as clients use it: a leading slash, `{name}` for each parameter."""

    address: str
    parameters: tuple[Parameter, ...]
    consumer: Consumer
    requirements: Requirements = field(default_factory=Requirements)


def is_consumer(candidate: object) -> TypeGuard[Consumer]:
    """Tell whether discovery came upon a consumer class, and not upon anything else that serves WebSockets."""
    return isinstance(candidate, type) and issubclass(candidate, ChanxWebsocketConsumerMixin)
