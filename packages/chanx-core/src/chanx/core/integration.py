"""What a framework brings to the consumer classes of its package."""

import inspect
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any, ClassVar

from chanx.core.config import Config, config
from chanx.core.exceptions import ChannelFullError, MessageError
from chanx.core.handlers import MessageGuard, ParameterResolver
from chanx.core.layers import LayerTraits, ProcessLayer
from chanx.type_defs import JSONObject

__all__ = ["Integration", "integration_in_use", "integration_named", "register_integration"]

_INSTALLABLE = ("channels", "fast_channels")
_registered: "dict[str, Integration]" = {}


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

    # Any: the class is made with this object.
    consumer_class: type[Any]
    """The consumer base class of the framework."""

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


# Any: the consumer base class of a framework.
def register_integration(name: str, consumer: type[Any]) -> None:
    """Make the consumer base class of a framework known under a name."""
    integration: Integration = consumer._integration
    integration.consumer_class = consumer
    _registered[name] = integration


def integration_in_use(name: str | None) -> Integration | None:
    """Return the integration of a name if the process has imported it."""
    return None if name is None else _registered.get(name)


def integration_named(name: str | None, asking: str) -> Integration:
    """Return the integration of a name; without one, the only one that is in use or installed.

    Raises LookupError where that is none, or several.
    """
    if name is None and len(_registered) == 1:
        return next(iter(_registered.values()))
    names = [name] if name is not None else [*_registered] or [*_INSTALLABLE]
    found = [item for item in map(_imported, names) if item is not None]
    if len(found) == 1:
        return found[0]
    what = (
        "No package of chanx for a framework is" if not found else "Several packages of chanx are"
    )
    raise LookupError(
        f"{what} in use here, so {asking} cannot tell which channel layer is meant: set "
        f'integration = "channels" or "fast_channels" on the topic, and channel_layer_alias where it is not '
        "'default'."
    )


def _imported(name: str) -> Integration | None:
    if name not in _registered and name in _INSTALLABLE:
        # A worker that only broadcasts has not imported it.
        with suppress(ImportError):
            import_module(f"chanx.{name}.websocket")
    return _registered.get(name)
