"""Whose channel layer carries what is sent to a topic."""

import sys
from collections.abc import Iterable
from hashlib import blake2s
from pathlib import Path
from typing import Any

from chanx.core._declarations.channel_layer import ChannelLayerChoice
from chanx.core._user_classes import user_attributes
from chanx.core.integration import Integration, integration_in_use, integration_named

__all__ = ["TopicLayers", "check_mount", "group_namespace"]


# Any in this module: classes of topics and consumers, which import it.
def check_mount(topic: Any, consumer: Any) -> None:
    """Raise TypeError with the cure for a topic that a consumer class cannot have."""
    if not topic.pattern:
        raise TypeError(
            f"{topic.__name__}, in the topics of {consumer.__name__}, has no pattern: "
            f"write 'pattern = \"{topic.__name__.removesuffix('Topic').lower()}:{{pk}}\"'."
        )
    alias = consumer.channel_layer_alias
    if _own_alias(topic) not in (None, alias):
        raise TypeError(
            f"{topic.__name__} uses the channel layer {topic.channel_layer_alias!r} and {consumer.__name__} uses "
            f"{alias!r}, so broadcasts would not arrive: set one channel_layer_alias for both."
        )


def group_namespace(topic: type) -> str:
    """Return what the groups of a class of topics begin with: its name, and a digest of where it is defined.

    Two classes of one name may have the same topics, and clients that may receive from one need not be allowed to
    receive from the other.
    """
    path = f"{_module_of(topic)}.{topic.__qualname__}"
    return f"{topic.__name__}-{blake2s(path.encode(), digest_size=8).hexdigest()}"


def _module_of(topic: type) -> str:
    if topic.__module__ != "__main__":
        return topic.__module__
    # A worker imports under its own name what this process was started with.
    main = sys.modules["__main__"]
    started = getattr(main, "__spec__", None)
    name: str = started.name if started is not None else Path(getattr(main, "__file__", "")).stem
    return name


def _own_alias(topic: Any) -> str | None:
    """Return the alias that the application has written."""
    named = any(attribute.name == "channel_layer_alias" for attribute in user_attributes(topic))
    return topic.channel_layer_alias if named else None


class _LayerUser:
    """Stands for the consumers that this process does not have."""

    def __init__(self, topic: Any, integration: Integration) -> None:
        self.__name__ = topic.__name__
        self.channel_layer_alias: str = topic.channel_layer_alias
        self.layer_timeout: float = integration.config.limits.layer_timeout
        self.get_channel_layer = integration.consumer_class.get_channel_layer


class TopicLayers:
    """The channel layers of one class of topics: those of its consumers, or the one that it names."""

    def __init__(self, topic: Any, consumers: Iterable[Any]) -> None:
        self._topic = topic
        found = [*consumers]
        # Both frameworks in one process, with layers on one Redis: an event on either reaches everybody, on both twice.
        named = integration_in_use(topic.integration)
        of_named = [item for item in found if item.spec.integration is named]
        self._consumers = of_named or found

    def find(self) -> list[ChannelLayerChoice]:
        """Return a choice for each layer. Raises LookupError where there is none."""
        # A base class of consumers may name a layer that only its subclasses make.
        leaves = [
            consumer
            for consumer in self._consumers
            if not any(issubclass(item, consumer) for item in self._consumers if item != consumer)
        ]
        choices = [consumer.spec.layer for consumer in leaves] or [self._named()]
        found: dict[int, ChannelLayerChoice] = {}
        reasons: list[str] = []
        for choice in choices:
            try:
                found.setdefault(id(choice.require()), choice)
            except (LookupError, RuntimeError) as error:
                reasons.append(str(error))
        if not found:
            raise LookupError(
                f"{self._topic.__name__} has no channel layer for its broadcasts: set channel_layer_alias, or "
                f"integration, of the topic. {' '.join(dict.fromkeys(reasons))}"
            )
        return [*found.values()]

    def _named(self) -> ChannelLayerChoice:
        integration = integration_named(self._topic.integration, self._topic.__name__)
        return ChannelLayerChoice(_LayerUser(self._topic, integration), integration)
