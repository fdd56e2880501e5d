"""WebSocket addresses of the chat."""

from typing import Any

from chanx.channels.routing import path
from chat.consumers import RoomChatConsumer

__all__ = ["websocket_urlpatterns"]

# Any: what a URLRouter takes has no public type.
websocket_urlpatterns: list[Any] = [
    path("ws/room/<str:room_name>/", RoomChatConsumer.as_asgi()),
]
