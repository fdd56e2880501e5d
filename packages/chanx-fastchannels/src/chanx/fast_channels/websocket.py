"""The consumer base class for FastAPI, Starlette, Litestar and any other ASGI application."""

import inspect
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar

from fast_channels.exceptions import AcceptConnection, ChannelFull, DenyConnection
from fast_channels.layers import InMemoryChannelLayer, channel_layers, get_channel_layer
from starlette.exceptions import HTTPException, WebSocketException

from chanx.core.handlers import ParameterResolver, unknown_name
from chanx.core.integration import Integration, register_integration
from chanx.core.layers import LayerTraits, ProcessLayer
from chanx.core.websocket import ChanxWebsocketConsumerMixin, ReceiveEvent
from chanx.fast_channels._errors import http_error_item, refusal
from chanx.fast_channels.consumer import AsyncJsonWebsocketConsumer as FastChannelsConsumer
from chanx.type_defs import ASGIReceive, ASGISend, JSONObject, Scope

if TYPE_CHECKING:
    from chanx.fast_channels.dependencies import Dependencies, Provision

__all__ = ["AsyncJsonWebsocketConsumer", "ReceiveEvent"]


class FastChannelsIntegration(Integration):
    """Channel layers of fast-channels, exceptions of Starlette, dependencies of FastAPI."""

    accept_errors: ClassVar[tuple[type[Exception], ...]] = (AcceptConnection,)
    deny_errors: ClassVar[tuple[type[Exception], ...]] = (DenyConnection,)
    full_errors: ClassVar[tuple[type[Exception], ...]] = (*Integration.full_errors, ChannelFull)
    layer_setting: ClassVar[str] = "channel layer '{alias}' of register_layers()"

    def __init__(self) -> None:
        self.process_layer: ProcessLayer | None = ProcessLayer(
            InMemoryChannelLayer(),
            advice="For several processes, register a layer on Redis: "
            'register_layers({"default": pubsub_layer("redis://127.0.0.1:6379/0")}).',
        )

    def layer_aliases(self) -> Sequence[str]:
        """Return the registered aliases, for error messages."""
        return channel_layers.list_aliases()

    def layer_traits(self, layer: object) -> LayerTraits:
        """Return what the layers of fast-channels are known to do."""
        is_local = isinstance(layer, InMemoryChannelLayer)
        is_queue = (
            type(layer).__module__ == "fast_channels.layers.redis.core"
        )  # not imported: redis is an extra
        return LayerTraits(is_local=is_local, has_free_channels=is_local or is_queue)

    def parameter_resolver(
        self, function: Callable[..., Any], parameters: list[inspect.Parameter], where: str
    ) -> ParameterResolver | None:
        """Let FastAPI provide what it knows; raises TypeError for what nothing provides."""
        if not parameters or "fastapi" not in sys.modules:
            return super().parameter_resolver(function, parameters, where)
        from chanx.fast_channels.dependencies import for_handler

        provided, others = for_handler(function, parameters, where)
        super().parameter_resolver(function, others, where)
        return None if provided is None else provided.for_message

    # Any: type variables of the class cannot be named here.
    def has_provisions(self, consumer: "type[AsyncJsonWebsocketConsumer[Any]]") -> bool:
        """Tell whether the connection depends on anything."""
        return connection_dependencies(consumer) is not None

    async def provide(self, consumer: "AsyncJsonWebsocketConsumer[Any]") -> tuple[int, str] | None:
        """Resolve the dependencies of the connection; an application error in one rejects the client."""
        needed = connection_dependencies(type(consumer))
        if needed is None:
            return None
        from chanx.fast_channels.dependencies import Provision

        provision = Provision(needed, consumer.scope)
        vars(consumer)["_provision"] = provision  # noted first: it is ended even if it fails
        try:
            vars(consumer).update(await provision.begin())
        except Exception as error:
            items = self.error_items_of(error)
            rejected = self.close_of(error) if items is None else refusal(items)
            if rejected is None:
                raise
            return rejected
        return None

    def error_items_of(self, error: Exception) -> list[JSONObject] | None:
        """Take `HTTPException` of Starlette and FastAPI as an application error, too."""
        if isinstance(error, HTTPException):
            return [http_error_item(error)]
        return super().error_items_of(error)

    def close_of(self, error: Exception) -> tuple[int, str] | None:
        """Close with code and reason of a `WebSocketException`."""
        return (error.code, error.reason) if isinstance(error, WebSocketException) else None


# fast-channels annotates the alias as optional and `send()` once for events, once for frames.
class AsyncJsonWebsocketConsumer(  # type: ignore[misc]
    ChanxWebsocketConsumerMixin[ReceiveEvent],
    FastChannelsConsumer,
):
    """A typed WebSocket consumer on fast-channels.

    Channel layers come from fast-channels' registry. Where nothing is registered, groups and events use a layer in the
    memory of this process.

    On FastAPI, parameters of handlers and annotated attributes of the class may be dependencies: those of a handler
    are resolved for each message, those of the class when the client connects.
    """

    channel_layer_alias: str | None = "default"
    get_channel_layer: ClassVar[Any] = staticmethod(get_channel_layer)
    dependencies: ClassVar[Sequence[Any]] = ()
    """`Depends(...)` to resolve when a client connects, for those that give no value."""

    _integration = FastChannelsIntegration()
    _provision: "Provision | None" = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        with suppress(
            NameError
        ):  # a forward reference, which exists when the first client connects
            connection_dependencies(cls)

    @classmethod
    def as_asgi(cls, **initkwargs: Any) -> Any:
        """Return an ASGI application that makes an instance, with these arguments, for each connection.

        Raises TypeError or NameError for declarations that cannot work.
        """
        cls.spec.resolve()
        try:
            connection_dependencies(cls)
        except NameError as error:
            raise unknown_name(cls.__name__, error) from error
        return super().as_asgi(**initkwargs)

    async def __call__(self, scope: Scope, receive: ASGIReceive, send: ASGISend) -> None:
        """Serve one WebSocket, and clean up what it depends on."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            if self._provision is not None:
                await self._provision.end()


register_integration("fast_channels", AsyncJsonWebsocketConsumer)


def connection_dependencies(
    consumer: type[AsyncJsonWebsocketConsumer[Any]],
) -> "Dependencies | None":
    """Return what is resolved when a client connects; NameError while a name does not exist yet."""
    if "fastapi" not in sys.modules:  # then nobody can have written one
        return None
    from chanx.fast_channels.dependencies import for_connection

    return for_connection(consumer, consumer.dependencies)
