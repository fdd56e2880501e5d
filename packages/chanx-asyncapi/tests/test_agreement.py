"""What the document says, and what really travels."""

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from chanx.asyncapi import generate_document
from chanx.asyncapi.docs._example import example
from chanx.asyncapi.docs._schema import Schemas
from chanx.asyncapi.validation._structure import schema_validator
from chanx.core.codec import Codec
from chanx.messages.base import BaseMessage
from chanx.messages.outgoing import (
    AuthenticationMessage,
    AuthenticationPayload,
    CompleteMessage,
    ErrorMessage,
    ResyncMessage,
)

from .torture import (
    OPTIONS,
    ROUTES,
    AnswerA,
    AnswerB,
    Box,
    Circle,
    Color,
    Everything,
    EverythingMessage,
    Level,
    Money,
    Names,
    Node,
    Page,
    TwoPages,
)

DOCUMENT = generate_document(ROUTES, OPTIONS)
_BY_ADDRESS = {route.address: route for route in ROUTES}
CHANNELS = {
    key: _BY_ADDRESS[described["address"]]
    for key, described in DOCUMENT["channels"].items()
    if "x-topic" not in described
}
EVERYTHING = EverythingMessage(
    payload=Everything(
        when=datetime(2026, 1, 31, 12),
        lasts=timedelta(days=1, seconds=3),
        key=UUID(int=7),
        price=Decimal("1.50"),
        money=Money(Decimal(2), "EUR"),
        box=Box(3, {"left": 1, "top_most": 2}),
        names=Names(["a", "b"]),
        either="text",
        maybe=Color.BLUE,
        lists=[[Color.RED]],
        by_level={Level.HIGH: Node(name="n", children=[Node(name="m")])},
        unique={3, 1},
        anything={"under_score": [None, 1.5]},
    )
)
SENT: list[BaseMessage] = [
    EVERYTHING,
    TwoPages(payload=(Page(items=[Node(name="n")]), Page(items=[1, 2]))),
    AnswerA(),
    AnswerB(payload=[Circle(radius=1)], trace_id="t"),
    ErrorMessage(payload={"detail": "Failed"}),
    ErrorMessage(payload=[{"type": "missing", "loc": ["a", 0], "msg": "Field required"}]),
    CompleteMessage(),
    ResyncMessage(),
    AuthenticationMessage(payload=AuthenticationPayload(status_code=200, status_text="OK")),
]


def codec_of(channel: str) -> Codec:
    consumer = CHANNELS[channel].consumer
    wire = consumer.spec.wire_format
    spec = consumer.spec
    return Codec(spec.incoming_messages, spec.outgoing_messages, wire, max_depth=64)


def component_of(channel: str, message: BaseMessage | str) -> dict[str, Any]:
    """Find the message that the server sends on a channel under an action."""
    sent = {
        reference["$ref"]
        for operation in DOCUMENT["operations"].values()
        if operation["channel"] == {"$ref": f"#/channels/{channel}"}
        for part in ([operation] if operation["action"] == "send" else [operation["reply"]])
        for reference in part["messages"]
    }
    keys = {reference.rpartition("/")[2] for reference in sent}
    components = [DOCUMENT["components"]["messages"][key] for key in sorted(keys)]
    (found,) = (item for item in components if item["name"] == getattr(message, "action", message))
    return dict(found)


def problems(payload: dict[str, Any], frame: Any) -> list[str]:
    validator = schema_validator({**payload, "components": DOCUMENT["components"]})
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(frame)]


@pytest.mark.parametrize("channel", ["everything", "camel"])
@pytest.mark.parametrize("message", SENT, ids=range(len(SENT)))
def test_what_is_sent_is_what_is_described(channel: str, message: BaseMessage) -> None:
    if isinstance(message, AuthenticationMessage) and channel == "everything":
        pytest.skip("nobody authenticates there")
    frame = json.loads(codec_of(channel).encode(message))
    payload = component_of(channel, message)["payload"]

    assert problems(payload, frame) == []
    if not isinstance(message, ErrorMessage):  # whose payload may be anything
        assert problems(payload, {**frame, "payload": object()})


@pytest.mark.parametrize("channel", list(CHANNELS))
def test_what_is_described_is_accepted(channel: str) -> None:
    codec = codec_of(channel)
    schemas = Schemas(DOCUMENT["components"]["schemas"])
    received = [
        DOCUMENT["components"]["messages"][operation["messages"][0]["$ref"].rpartition("/")[2]]
        for operation in DOCUMENT["operations"].values()
        if operation["action"] == "receive"
        and operation["channel"] == {"$ref": f"#/channels/{channel}"}
    ]

    assert received
    for message in received:
        frame = example(message["payload"], schemas)
        assert problems(message["payload"], frame) == []
        decoded, _ = codec.decode(json.dumps(frame))
        assert decoded.action == message["name"]
