# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""The runtime of generated clients: it needs pydantic and websockets."""

from .client import BaseClient
from .errors import (
    AnswerError,
    ClientError,
    ConnectionClosed,
    ConnectionLost,
    InvalidFrame,
    MessagesDropped,
    NoAnswer,
    SendQueueFull,
    TopicRefused,
)
from .model import UNSET, Model, given
from .stream import Stream
from .topic import BaseTopic

__all__ = [
    "UNSET",
    "AnswerError",
    "BaseClient",
    "BaseTopic",
    "ClientError",
    "ConnectionClosed",
    "ConnectionLost",
    "InvalidFrame",
    "MessagesDropped",
    "Model",
    "NoAnswer",
    "SendQueueFull",
    "Stream",
    "TopicRefused",
    "given",
]
