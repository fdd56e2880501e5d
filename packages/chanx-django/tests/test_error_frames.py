"""The answers to frames that are no messages, on Django Channels."""

from chanx.channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.error_frames import ErrorFrameSuite


class TestChannels(ErrorFrameSuite):
    """The same as anywhere."""

    base = AsyncJsonWebsocketConsumer
