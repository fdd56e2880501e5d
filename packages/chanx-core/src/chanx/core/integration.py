"""What a framework brings to the consumer classes of its package."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, ClassVar

from chanx.core.config import Config, config
from chanx.core.exceptions import ChannelFullError, MessageError
from chanx.core.handlers import MessageGuard, ParameterResolver
from chanx.core.layers import LayerTraits, ProcessLayer
from chanx.type_defs import JSONObject

__all__ = ["Integration"]


class Integration:
    """Everything that differs between frameworks: options, channel layers, guards, parameters, exceptions.

    Each framework package has a subclass, and sets an instance as `_integration` of its consumer base class. This class
    is what consumers without a framework have.
    """

    config: Config = config
    """The options that a class leaves unset."""
    before_dispatch: Callable[[], Awaitable[None]] | None = None
    """Awaited before each message and event is handled; None costs nothing."""

    accept_errors: ClassVar[tuple[type[Exception], ...]] = ()
    """What `connect()` may raise to accept the handshake."""
    deny_errors: ClassVar[tuple[type[Exception], ...]] = ()
    """What `connect()` may raise to reject it."""

    layer_setting: ClassVar[str] = "channel layer '{alias}'"
    """What the application writes to have the layer of an alias, for errors and logs."""
    full_errors: ClassVar[tuple[type[Exception], ...]] = (ChannelFullError,)
    """What a channel layer raises for a channel that has no room, which is no outage."""
    process_layer: ProcessLayer | None = None
    """Used where no layer at all is registered and the class names none."""

    def layer_aliases(self) -> Sequence[str]:
        """Return the registered aliases, for error messages."""
        return ()

    # Any: each library annotates its layers in its own way.
    def layer_traits(self, layer: Any) -> LayerTraits:
        """Return what may be assumed of a layer."""
        return LayerTraits()

    def as_guard(self, candidate: object, where: str) -> MessageGuard:
        """Make a guard of an item of `@ws_handler(guards=[...])`. Raises TypeError for anything else."""
        if isinstance(candidate, MessageGuard) and not isinstance(candidate, type):
            return candidate
        raise TypeError(f"{candidate!r} in the guards of {where} is not a Guard instance.")

    def parameter_resolver(
        self, function: Callable[..., Any], parameters: list[inspect.Parameter], where: str
    ) -> ParameterResolver | None:
        """Return what provides a handler's parameters after the message; None where nothing has to.

        Raises TypeError for a parameter that nothing provides.
        """
        for parameter in parameters:
            if parameter.default is inspect.Parameter.empty:
                raise TypeError(
                    f"{where} has a parameter {parameter.name!r} that nothing provides: "
                    "give it a default or remove it."
                )
        return None

    # Any in both: the consumer class of the integration, which is made with this object.
    def has_provisions(self, consumer: type[Any]) -> bool:
        """Tell whether `provide()` has anything to do for the connections of a class."""
        return False

    async def provide(self, consumer: Any) -> tuple[int, str] | None:
        """Provide what a connection depends on, once its client is authenticated.

        Returns a close code and a reason to reject the client.
        """
        return None

    def error_items_of(self, error: Exception) -> list[JSONObject] | None:
        """Return the items of the error frame that answers an application error; None for a failure.

        Each has `type`, `loc` and `msg`.
        """
        return [error.item] if isinstance(error, MessageError) else None

    def close_of(self, error: Exception) -> tuple[int, str] | None:
        """Return the close code and reason that an exception stands for; None for any other."""
        return None
