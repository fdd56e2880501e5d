"""The system chat, without a server."""

from chanx.testing import WebsocketCommunicator
from sandbox_fastapi.apps.system_chat.consumer import SystemMessageConsumer
from sandbox_fastapi.apps.system_chat.messages import (
    SystemEchoMessage,
    UserMessage,
    UserPayload,
)
from sandbox_fastapi.main import app


async def test_the_system_echoes() -> None:
    """Without any channel layer, and at the full length of a message."""
    async with WebsocketCommunicator(app, "/ws/system", consumer=SystemMessageConsumer) as client:
        await client.send_message(UserMessage(payload=UserPayload(message="x" * 2000)))

        (echo,) = await client.receive_all_messages()

    assert isinstance(echo, SystemEchoMessage)
    assert echo.payload.message == f"🔧 System Echo: {'x' * 2000}"
