"""The operations of one channel on the page: what travels, how it is answered, and the controls of the channel."""

from typing import NamedTuple

from chanx.asyncapi.actions import schema_actions
from chanx.asyncapi.answers import ANSWERS
from chanx.asyncapi.controls import CONTROL
from chanx.asyncapi.docs._html import Html, element, joined
from chanx.asyncapi.docs._schema import Schemas
from chanx.type_defs import JSONObject

__all__ = [
    "Operation",
    "channel_operations",
    "component_of",
    "message_actions_of",
    "message_id",
    "operation_groups",
    "paragraphs",
    "tags",
]

_HEADINGS = {
    "subscription": "Subscription",
    "receive": "Clients send",
    "request": "The server asks",
    "send": "The server sends",
    "control": "Controls",
}
_NOTES = {
    "subscription": "These frames name the topic. Clients receive from it, and send to it, while they are subscribed.",
    "request": "A request of the server. The client answers under the same ref.",
    "control": "These frames control a running answer, which they name by its ref. Nothing answers them.",
}
_MODES = {
    "stream": "stream of",
    "one": "one message",
    "many": "any number of",
    "none": "no message",
}
# More actions in a heading would say nothing at a glance.
_MOST_ACTIONS = 4


class Operation(NamedTuple):
    """An operation, by its name in the document."""

    document: JSONObject
    name: str
    content: JSONObject

    @property
    def kind(self) -> str:
        """Return who begins: `receive`, `send`, or `request` of the server.

        `control` is for what controls an answer, `subscription` for what subscribes to the channel's topic.
        """
        if CONTROL in self.content:
            return "subscription" if "reply" in self.content else "control"
        if self.content["action"] == "send" and "reply" in self.content:
            return "request"
        return str(self.content["action"])

    @property
    def label(self) -> str:
        """Return what travels, by its actions; its name where there is nothing or too much."""
        actions = [
            action
            for reference in self.content["messages"]
            for action in message_actions_of(self.document, reference["$ref"])
        ]
        return ", ".join(actions) if 0 < len(actions) <= _MOST_ACTIONS else self.name


def channel_operations(document: JSONObject, key: str) -> list[Operation]:
    """Return the operations of a channel in the order of the page."""
    channel = f"#/channels/{key}"
    found = [
        Operation(document, name, content)
        for name, content in document["operations"].items()
        if content["channel"]["$ref"] == channel
    ]
    order = list(_HEADINGS)
    return sorted(found, key=lambda operation: order.index(operation.kind))


def operation_groups(document: JSONObject, key: str) -> Html:
    """Write the operations of a channel, grouped by who begins."""
    found = channel_operations(document, key)
    parts: list[Html] = []
    for kind, heading in _HEADINGS.items():
        group = [operation for operation in found if operation.kind == kind]
        if group:
            note = element("p", _NOTES[kind], class_="note") if kind in _NOTES else None
            written = [_operation(operation, found) for operation in group]
            parts.append(joined(element("h3", heading), note, *written))
    return joined(*parts)


def paragraphs(text: str | None) -> Html | None:
    """Write text with its empty lines."""
    return joined(*(element("p", part) for part in text.split("\n\n"))) if text else None


def tags(described: JSONObject) -> Html | None:
    """Write the tags of a channel or an operation."""
    names = [element("li", tag["name"]) for tag in described.get("tags", ())]
    return element("ul", *names, class_="tags") if names else None


def component_of(document: JSONObject, reference: str) -> JSONObject:
    """Return the message that a reference names."""
    component: JSONObject = document["components"]["messages"][reference.rpartition("/")[2]]
    return component


def message_actions_of(document: JSONObject, reference: str) -> list[str]:
    """Return the actions of a message on the wire; its own name where the schema has none."""
    message = component_of(document, reference)
    payload = Schemas(document["components"]["schemas"]).resolve(message["payload"]).schema
    name = message.get("name") or reference.rpartition("/")[2]
    return schema_actions(payload) or [str(name)]


def message_id(channel: str, name: str) -> str:
    """Return where a message is on the page."""
    return f"message-{channel}-{name}"


def _operation(operation: Operation, others: list[Operation]) -> Html:
    content = operation.content
    name = operation.name
    note = None if name == operation.label else element("span", name, class_="note")
    return element(
        "article",
        element("h4", element("code", operation.label), " ", note),
        tags(content),
        element("p", content["summary"]) if content.get("summary") else None,
        paragraphs(content.get("description")),
        _rows(operation, others),
        class_=f"operation {operation.kind}",
        id=f"operation-{name}",
    )


def _rows(operation: Operation, others: list[Operation]) -> Html:
    kind, document = operation.kind, operation.document
    rows: dict[str, Html | None] = {"Frame" if kind == "control" else "Message": _sent(operation)}
    if kind == "control":
        rows["For"] = _controlled(operation, others)
    elif "reply" in operation.content:
        rows |= _answer(document, operation.content["reply"], others)
    written = [
        joined(element("dt", label), element("dd", value)) for label, value in rows.items() if value
    ]
    return element("dl", *written)


def _sent(operation: Operation) -> Html:
    return _message_links(operation.document, operation.content["messages"]) or Html("none")


# Answers


def _answer(
    document: JSONObject, reply: JSONObject, others: list[Operation]
) -> dict[str, Html | None]:
    """Describe what follows a message; a reply that says nothing more is the answer of a client."""
    described: JSONObject = reply.get(ANSWERS, {})
    messages = reply["messages"]
    if not described:
        return {"Answer": _message_links(document, messages)}
    # What a handler answers may be called as an end is.
    items = [one for one in messages if _is_among(document, one, described["messages"])]
    rest = [one for one in messages if one not in items]
    ends = [one for end in described["ends"] for one in rest if _is_among(document, one, [end])]
    mode = described["mode"]
    return {
        "Answer": joined(
            element("span", _MODES.get(mode, mode), class_="mode"),
            " ",
            _message_links(document, items),
        ),
        "End": _message_links(document, ends),
        "Credit": _credit(described, others),
        "Cancel": _control_link("cancel", others) if described.get("cancellable") else None,
    }


def _is_among(document: JSONObject, reference: JSONObject, actions: list[str]) -> bool:
    return any(action in actions for action in message_actions_of(document, reference["$ref"]))


def _credit(described: JSONObject, others: list[Operation]) -> Html | None:
    if "window" not in described:
        return None
    window = element("code", f'"window": {described["window"]}')
    more = _control_link("more", others)
    return joined(window, " to begin with", *((", then ", more) if more else ()))


# Controls


def _control_link(control: str, others: list[Operation]) -> Html | None:
    for other in others:
        if other.content.get(CONTROL) == control:
            return _operation_link(other)
    return None


def _controlled(operation: Operation, others: list[Operation]) -> Html | None:
    """List the messages whose answers a control is for."""
    key = "cancellable" if operation.content[CONTROL] == "cancel" else "window"
    links = [
        _operation_link(other)
        for other in others
        if other.content.get("reply", {}).get(ANSWERS, {}).get(key)
    ]
    return joined("the answer to ", _separated(links)) if links else None


# Links


def _operation_link(operation: Operation) -> Html:
    return element("a", element("code", operation.label), href=f"#operation-{operation.name}")


def _message_links(document: JSONObject, references: list[JSONObject]) -> Html | None:
    links = [_message_link(document, reference["$ref"]) for reference in references]
    return _separated(links) if links else None


def _message_link(document: JSONObject, reference: str) -> Html:
    _, _, channel, _, name = reference.split("/")
    actions = ", ".join(message_actions_of(document, reference))
    return element("a", element("code", actions), href=f"#{message_id(channel, name)}")


def _separated(links: list[Html]) -> Html:
    return joined(*[part for link in links for part in (link, ", ")][:-1])
