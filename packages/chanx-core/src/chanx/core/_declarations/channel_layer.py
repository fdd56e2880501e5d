"""Which channel layer a consumer class uses, and what is known of it."""

from typing import Any, Protocol

from chanx.core._declarations.layer_addresses import addresses_of
from chanx.core._telemetry.failure_log import mark_layer_failure
from chanx.core._user_classes import is_of_library
from chanx.core.exceptions import LayerUnavailableError
from chanx.core.integration import Integration
from chanx.core.layers import LayerTraits, ProcessLayer
from chanx.type_defs import ChannelLayer

__all__ = ["ChannelLayerChoice"]


class LayerUser(Protocol):
    """A consumer class, as far as its channel layer goes."""

    __name__: str
    layer_timeout: float
    # Any: `channel_layer_alias` is annotated by each framework in its own way.
    get_channel_layer: Any


class ChannelLayerChoice:
    """Finds the channel layer of one consumer class, each time it is asked: layers may be registered late."""

    def __init__(self, owner: LayerUser, integration: Integration) -> None:
        self._owner = owner
        self._integration = integration

    @property
    def alias(self) -> str | None:
        """The alias under which the class finds its layer."""
        alias: str | None = getattr(self._owner, "channel_layer_alias", None)
        return alias

    @property
    def timeout(self) -> float:
        """How long one call of the layer may take, in seconds."""
        return self._owner.layer_timeout

    @property
    def is_named(self) -> bool:
        """True where the application has written `channel_layer_alias`: that layer has to exist."""
        bases: tuple[type, ...] = getattr(self._owner, "__mro__", ())
        owner = next((base for base in bases if "channel_layer_alias" in vars(base)), None)
        # An alias that a class of the library sets is a default, not a user's choice.
        return owner is not None and not is_of_library(owner)

    def find(self) -> ChannelLayer | None:
        """Return the layer of the alias, or that of the process where no layer at all is registered.

        Raises LookupError where the class names an alias that does not exist.
        """
        alias = self.alias
        layer: ChannelLayer | None = self._owner.get_channel_layer(alias) if alias else None
        if layer is not None or not alias:
            return layer
        aliases = [*self._integration.layer_aliases()]
        if self.is_named or alias != "default":
            registered = ", ".join(map(repr, aliases)) or "none"
            raise LookupError(f"{self.missing} Registered aliases: {registered}.")
        process_layer = self._integration.process_layer
        return None if aliases or process_layer is None else process_layer.layer

    def require(self) -> ChannelLayer:
        """Return the layer. Raises RuntimeError without one, LookupError as `find()`."""
        layer = self.find()
        if layer is None:
            raise RuntimeError(self.missing)
        process_layer = self.of_process(layer)
        if process_layer is not None:
            process_layer.announce()
        return layer

    @property
    def missing(self) -> str:
        """What to do where a call needs a channel layer and there is none."""
        return (
            f"{self._owner.__name__} has no channel layer: register one under the alias "
            f"{self.alias!r} before connections come."
        )

    def of_process(self, layer: object) -> ProcessLayer | None:
        """Return the layer of the process where this is it."""
        own = self._integration.process_layer
        return own if own is not None and own.layer is layer else None

    def traits(self, layer: object) -> LayerTraits:
        """Return what may be assumed of a layer."""
        return self._integration.layer_traits(layer)

    def describe(self, layer: object) -> str:
        """Name a layer of the class in errors and logs: its setting, its class, its address without credentials."""
        if self.of_process(layer) is not None:
            return "the in-memory layer of this process"
        setting = self._integration.layer_setting.format(alias=self.alias)
        address = addresses_of(layer)
        return f"{setting} ({type(layer).__name__}{address and ' at '}{address})"

    def summary(self) -> str:
        """Say which layer the class finds. Raises LookupError where it names an alias that does not exist."""
        layer = self.find()
        process_layer = self.of_process(layer)
        if process_layer is not None:
            return process_layer.explanation
        return self.missing if layer is None else f"{self.describe(layer)} is used."

    @property
    def full_errors(self) -> tuple[type[Exception], ...]:
        """What a layer raises for a channel that has no room."""
        return self._integration.full_errors

    def unavailable(self, error: Exception, layer: object) -> LayerUnavailableError:
        """Return what callers are told when a layer has failed or did not answer."""
        reason = repr(error)
        if isinstance(error, TimeoutError) and not error.args:
            reason = f"no answer within {self._owner.layer_timeout:g} s"
        unavailable = LayerUnavailableError(f"{self.describe(layer)} is unavailable: {reason}")
        mark_layer_failure(unavailable, layer)
        return unavailable
