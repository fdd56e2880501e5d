"""A chanx consumer on fast-channels: ours or 2.13.0, whichever is installed."""

from consumers import application_of, echo_classes
from driver import Application, Options, main
from fast_channels_layer import register_layer

from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer

__all__: list[str] = []


def application(options: Options) -> Application:
    """Make the application."""
    register_layer(options)
    made: Application = application_of(AsyncJsonWebsocketConsumer, options)
    return made


if __name__ == "__main__":
    main(application, lambda count: echo_classes(AsyncJsonWebsocketConsumer, count))
