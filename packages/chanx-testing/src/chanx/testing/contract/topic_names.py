"""The names of the topic that is tested: given, or made from the schema of the parameters."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st
from pydantic_core import to_json

from chanx.core.spec import ConsumerSpec, TopicClass
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.testing.contract.channel import Channel, TopicPart
from chanx.testing.contract.strategies import Values

__all__ = ["TopicName", "check_name", "names_of", "spec_of"]

TopicName = str | Callable[[], str] | None
Consumer = type[ChanxWebsocketConsumerMixin[Any]]


def check_name(channel: Channel, given: TopicName) -> None:
    """Raise ValueError for a name that the channel cannot have."""
    if given is None:
        return
    if channel.topic is None:
        raise ValueError(
            f"The channel {channel.name!r} is not that of a topic: leave topic=... out, or name the topic's channel "
            "by channel=..."
        )
    if isinstance(given, str) and not channel.topic.is_name(given):
        raise ValueError(f"topic={given!r} does not fit the pattern {channel.topic.pattern!r}.")


def names_of(
    channel: Channel, consumer: Consumer | None, given: TopicName
) -> st.SearchStrategy[str]:
    """Return the names to test; the empty one where there is none yet."""
    topic = channel.topic
    if topic is None or given is not None:
        return st.just(given if isinstance(given, str) else "")
    values = Values(topic.components)
    parameters = {key: values.of(schema).map(_text) for key, schema in topic.parameters.items()}
    names = st.fixed_dictionaries(parameters).map(topic.name_of).filter(topic.is_name)
    if consumer is None:
        return names
    kind = _class_of(consumer, topic)
    return names.filter(lambda name: _is_taken(consumer, kind, name))


def spec_of(channel: Channel, consumer: Consumer) -> ConsumerSpec:
    """Return the declarations behind a channel: those of the consumer, or of one of its topics."""
    if channel.topic is None:
        return consumer.spec
    return _class_of(consumer, channel.topic).spec_for(consumer.spec.integration)


def _class_of(consumer: Consumer, topic: TopicPart) -> TopicClass:
    for kind in consumer.spec.topics:
        if kind.names.pattern == topic.pattern:
            return kind
    raise ValueError(f"{consumer.__name__} has no topic with the pattern {topic.pattern!r}.")


# Any: JSON.
def _text(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value).decode()


def _is_taken(consumer: Consumer, expected: TopicClass, name: str) -> bool:
    """Tell whether a name belongs to the class: the first pattern that fits decides."""
    for kind in consumer.spec.topics:
        try:
            if kind.names.match(name) is not None:
                return kind is expected
        except ValueError:
            return False
    return False
