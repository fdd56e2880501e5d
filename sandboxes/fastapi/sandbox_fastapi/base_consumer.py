"""What every consumer of the sandbox has in common."""

from chanx.core.decorators import ws_handler
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer, ReceiveEvent
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from sandbox_fastapi.settings import Settings

__all__ = ["BaseConsumer"]

_settings = Settings.from_environment()


class BaseConsumer(AsyncJsonWebsocketConsumer[ReceiveEvent]):
    """A consumer configured by the environment; tests turn completion frames on."""

    send_completion = _settings.send_completion
    log_websocket_message = _settings.log_websocket
    log_ignored_actions = ["ping", "pong"]  # every open page sends some, all the time

    @ws_handler(summary="Check the connection")
    async def handle_ping(self, _message: PingMessage) -> PongMessage:
        """Answer a ping: also how a client learns that it was let in."""
        return PongMessage()
