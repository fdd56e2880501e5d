"""Addresses of WebSockets."""

from typing import Any

from assistant.consumers import AssistantConsumer
from board.consumers import BoardConsumer
from chanx.channels.routing import path
from chat.consumers import RoomConsumer

__all__ = ["websocket_urlpatterns"]

# Any: what a URLRouter takes has no public type.
websocket_urlpatterns: list[Any] = [
    path("ws/rooms/<int:pk>/", RoomConsumer.as_asgi()),
    path("ws/board/", BoardConsumer.as_asgi()),
    path("ws/assistant/", AssistantConsumer.as_asgi()),
]
