"""The reference of the consumer class, by what a user does with it."""

from collections.abc import Iterator
from dataclasses import fields

from chanx.core.config import Config
from chanx.core.limits import Limits
from chanx.core.websocket import ChanxWebsocketConsumerMixin

__all__ = ["PATH", "consumer_reference", "names_without_group"]

PATH = f"{ChanxWebsocketConsumerMixin.__module__}.{ChanxWebsocketConsumerMixin.__name__}"
GROUPS = {
    "Declare": """
        emits passthrough_events passthrough_method_prefix requests control_actions topics default_topic
        authenticator_class name snake_name spec
        incoming_message_adapter incoming_event_adapter outgoing_message_adapter
        should_camelize should_send_completion all_log_ignored_actions""",
    "Receive": """
        websocket_receive receive decode_json receive_json handle_json receive_message handle_result
        handle_validation_error handle_json_processing_error handle_message_handler_error""",
    "Send": "send_message request send_json encode_json send",
    "Groups and events": """
        groups extra_groups channel_layer_alias get_channel_layer channel_layer channel_name
        join_group leave_group broadcast_message handle_group_message
        broadcast_event broadcast_event_sync send_event send_event_sync
        handle_channel_event receive_event handle_event_handler_error on_resync""",
    "Lifecycle": """
        scope url_params subscriptions authenticator websocket_connect connect get_groups post_authentication
        accept close websocket_disconnect disconnect""",
}
OPTIONS = {*Config.__annotations__, *(field.name for field in fields(Limits))}


def consumer_reference() -> str:
    """Return the page part: the class, and a heading for each group."""
    parts = [
        f"```{{eval-rst}}\n.. autoclass:: {PATH}\n   :show-inheritance:\n```",
        "Each option of {py:class}`~chanx.core.config.Config` and each limit of {py:class}`~chanx.core.limits.Limits` "
        "is an attribute of the class too: set it where it should differ.",
    ]
    for title, names in GROUPS.items():
        listed = "\n".join(directive(name) for name in names.split())
        parts.append(f"### {title}\n\n```{{eval-rst}}\n{listed}\n```")
    return "\n\n".join(parts)


def directive(name: str) -> str:
    value = getattr(ChanxWebsocketConsumerMixin, name, None)
    kind = (
        "property" if isinstance(value, property) else "method" if callable(value) else "attribute"
    )
    return f".. auto{kind}:: {PATH}.{name}"


def names_without_group() -> Iterator[str]:
    """Yield the public names of the class that the reference would not have."""
    grouped = {name for names in GROUPS.values() for name in names.split()}
    public = {name for base in ChanxWebsocketConsumerMixin.__mro__ for name in names_of(base)}
    yield from sorted(public - grouped - OPTIONS)
    yield from sorted(grouped - public)


def names_of(base: type) -> set[str]:
    return {
        name for name in [*vars(base), *vars(base).get("__annotations__", {})] if name[0] != "_"
    }
