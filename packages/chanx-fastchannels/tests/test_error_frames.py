"""The answers to frames that are no messages, on fast-channels."""

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from chanx.testing.error_frames import ErrorFrameSuite


class TestFastChannels(ErrorFrameSuite):
    """The same as anywhere."""

    base = AsyncJsonWebsocketConsumer
