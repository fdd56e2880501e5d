"""The system chat: answers go straight back, without groups or a channel layer."""

from chanx.core.decorators import channel, ws_handler
from sandbox_fastapi.apps.system_chat.messages import (
    MessagePayload,
    SystemEchoMessage,
    UserMessage,
)
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = ["SystemMessageConsumer"]


@channel(name="system", description="Direct WebSocket without channel layers")
class SystemMessageConsumer(BaseConsumer):
    """Echoes what it is told."""

    @ws_handler(summary="Echo system message")
    async def handle_system(self, message: UserMessage) -> SystemEchoMessage:
        """Answer directly."""
        echo = f"🔧 System Echo: {message.payload.message}"
        return SystemEchoMessage(payload=MessagePayload(message=echo))
