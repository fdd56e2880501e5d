"""A chanx consumer on fast-channels: ours or 2.13.0, whichever is installed."""

from consumers import echo_application, echo_classes
from driver import Application, Options, main
from fast_channels.layers import InMemoryChannelLayer, register_channel_layer

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

__all__: list[str] = []


def application(options: Options) -> Application:
    """Make the application."""
    if options.layer:
        register_channel_layer("default", InMemoryChannelLayer())
    made: Application = echo_application(AsyncJsonWebsocketConsumer, options)
    return made


if __name__ == "__main__":
    main(application, lambda count: echo_classes(AsyncJsonWebsocketConsumer, count))
