"""What discovery hands over: which consumer is reached at which address."""

from dataclasses import dataclass
from typing import Any

from chanx.core import _guard as _guard
from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["Consumer", "ConsumerRoute", "Parameter"]

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
