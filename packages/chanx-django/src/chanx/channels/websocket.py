"""The consumer base class for Django Channels."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar

from channels.exceptions import AcceptConnection, ChannelFull, DenyConnection, StopConsumer
from channels.generic.websocket import AsyncJsonWebsocketConsumer as ChannelsConsumer
from channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer

from chanx.channels._database import refresh_connections
from chanx.channels._errors import error_items
from chanx.channels.config import DjangoConfig
from chanx.core.config import Config
from chanx.core.guards import Guard
from chanx.core.integration import Integration, register_integration
from chanx.core.layers import LayerTraits, ProcessLayer
from chanx.core.websocket import ChanxWebsocketConsumerMixin, ReceiveEvent
from chanx.type_defs import JSONObject

__all__ = ["AsyncJsonWebsocketConsumer", "ReceiveEvent"]


class ChannelsIntegration(Integration):
    """The setting `CHANX`, channel layers of Channels, exceptions of Django and Django REST framework."""

    accept_errors: ClassVar[tuple[type[Exception], ...]] = (AcceptConnection,)
    deny_errors: ClassVar[tuple[type[Exception], ...]] = (DenyConnection,)
    full_errors: ClassVar[tuple[type[Exception], ...]] = (*Integration.full_errors, ChannelFull)
    layer_setting: ClassVar[str] = "CHANNEL_LAYERS['{alias}']"

    def __init__(self) -> None:
        self.config: Config = DjangoConfig()
        self.before_dispatch: Callable[[], Awaitable[None]] | None = refresh_connections
        self.process_layer: ProcessLayer | None = ProcessLayer(
            InMemoryChannelLayer(),
            advice="For several processes, set CHANNEL_LAYERS['default'] to a layer on Redis, such as "
            "channels_redis.pubsub.RedisPubSubChannelLayer.",
        )

    def layer_aliases(self) -> Sequence[str]:
        """Return the configured aliases, for error messages."""
        return list(channel_layers.configs)

    def layer_traits(self, layer: object) -> LayerTraits:
        """Return what the layers of Channels are known to do."""
        is_local = isinstance(layer, InMemoryChannelLayer)
        is_queue = (
            type(layer).__module__ == "channels_redis.core"
        )  # not imported: redis is an extra
        return LayerTraits(is_local=is_local, has_free_channels=is_local or is_queue)

    def as_guard(self, candidate: object, where: str) -> Guard:
        """Take permission classes of Django REST framework too, and expressions of them.

        Raises TypeError for anything else, ImportError without the extra `drf`.
        """
        if isinstance(candidate, Guard):
            return candidate
        from chanx.channels.permissions import permission_guard

        return permission_guard(candidate, where)

    def error_items_of(self, error: Exception) -> list[JSONObject] | None:
        """Take `Http404`, `PermissionDenied`, `ValidationError` and `APIException` as application errors, too."""
        return super().error_items_of(error) or error_items(error)


# The two bases annotate a scope and headers differently; at run time they are the same ASGI values.
class AsyncJsonWebsocketConsumer(  # type: ignore[misc] # pyright: ignore[reportIncompatibleVariableOverride, reportIncompatibleMethodOverride]
    ChanxWebsocketConsumerMixin[ReceiveEvent],
    ChannelsConsumer,
):
    """A typed WebSocket consumer on Django Channels.

    Options that a class leaves unset come from the setting `CHANX`. Where `CHANNEL_LAYERS` is empty, groups and events
    use a layer in the memory of this process.
    """

    get_channel_layer: ClassVar[Any] = staticmethod(get_channel_layer)
    _integration = ChannelsIntegration()

    # Any: the stubs of Channels annotate applications in a way of their own.
    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Return an ASGI application that makes an instance, with these arguments, for each connection.

        Raises TypeError or NameError for declarations that cannot work.
        """
        cls.spec.resolve()
        return super().as_asgi(**initkwargs)

    async def websocket_connect(self, message: Any) -> None:
        """Admit the connection or deny it, with fresh database connections for its hooks."""
        await refresh_connections()
        await super().websocket_connect(message)

    async def websocket_disconnect(self, message: Any) -> None:
        """End the connection; an overridden `disconnect()` gets fresh database connections, too."""
        if type(self).disconnect is not AsyncJsonWebsocketConsumer.disconnect:
            await refresh_connections()
        with suppress(StopConsumer):  # which consumers of Channels may raise at their end
            await super().websocket_disconnect(message)


register_integration("channels", AsyncJsonWebsocketConsumer)
