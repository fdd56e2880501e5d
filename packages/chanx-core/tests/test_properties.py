"""What holds for any frame, whatever a client sends and whatever a class overrides."""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, Literal, cast

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from chanx.core.codec import Codec, WireFormat
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.type_defs import ASGIEvent, JSONObject


class Line(BaseModel):
    """Part of an order."""

    item_name: str
    unit_price: float = 0
    extra_data: dict[str, Any] = {}


class Order(BaseMessage):
    """A message with nested models and free data."""

    action: Literal["order", "re_order"] = "order"
    payload: list[Line]


class Versioned(BaseMessage):
    """A message with fields that are called as keys of the envelope."""

    action: Literal["versioned"] = "versioned"
    payload: int | None = None
    version: int = 9
    ref: str = "own"


class Nothing(BaseMessage):
    """A message that is not answered."""

    action: Literal["nothing"] = "nothing"
    payload: None = None


class Failing(BaseMessage):
    """A message whose handler fails."""

    action: Literal["failing"] = "failing"
    payload: Any = None


class Direct(ChanxWebsocketConsumerMixin[Any]):
    """Overrides nothing: frames take every short way."""

    @ws_handler
    async def order(self, message: Order) -> Order:
        """Answer."""
        return message

    @ws_handler
    async def versioned(self, message: Versioned) -> Versioned:
        """Answer."""
        return message

    @ws_handler
    async def nothing(self, message: Nothing) -> None:
        """Say nothing."""

    @ws_handler
    async def failing(self, message: Failing) -> Order:
        """Fail."""
        raise ValueError("secret")


class HookByHook(Direct):
    """Overrides every hook without changing anything: frames pass them all."""

    async def websocket_receive(self, message: ASGIEvent) -> None:
        """Pass on."""
        await super().websocket_receive(message)

    async def receive_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().receive_json(content, **kwargs)

    async def handle_json(self, content: dict[str, Any], **kwargs: Any) -> None:
        """Pass on."""
        await super().handle_json(content, **kwargs)

    async def receive_message(self, message: BaseMessage) -> None:
        """Pass on."""
        await super().receive_message(message)

    async def handle_result(self, result: BaseMessage) -> None:
        """Pass on."""
        await super().handle_result(result)

    async def send_json(self, content: dict[str, Any], close: bool = False) -> None:
        """Pass on."""
        await super().send_json(content, close)

    async def send(
        self, text_data: str | None = None, bytes_data: bytes | None = None, close: bool = False
    ) -> None:
        """Pass on."""
        await super().send(text_data, bytes_data, close)


OPTIONS: list[dict[str, Any]] = [
    {},
    {"send_completion": True, "send_message_immediately": False},
    {"camelize": True},
    {"discriminator_field": "kind", "camelize": True, "message_concurrency": 3},
]


def changed(parts: tuple[dict[str, Any], str, Any]) -> dict[str, Any]:
    """Give one key of an order another value."""
    order, key, value = parts
    return {**order, key: value}


def as_unicode(order: dict[str, Any]) -> str:
    """Write JSON without escapes."""
    return json.dumps(order, ensure_ascii=False)


keys = st.sampled_from(
    ["action", "kind", "payload", "ref", "version", "itemName", "item_name", "unit_price", "x"]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["order", "re_order", "versioned", "nothing", "failing", "1"])
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
orders: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "action": st.sampled_from(["order", "re_order", "versioned", "nothing", "failing"]),
        "payload": st.lists(
            st.fixed_dictionaries({"item_name": st.text(max_size=4)}, optional={"x": values}),
            max_size=2,
        ),
    },
    optional={"ref": st.text(max_size=70) | values, "version": st.just(1) | values},
)
# Valid messages, messages with one thing changed, any JSON, and any text at all.
mutated = st.tuples(orders, keys, values).map(changed)
frames = st.one_of(
    orders.map(json.dumps),
    orders.map(as_unicode),
    mutated.map(json.dumps),
    values.map(json.dumps),
    st.text(max_size=12),
)


@pytest.fixture(scope="module", autouse=True)
def quiet() -> Any:
    """Log nothing: what is sent is the subject here."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def consumer_of(handlers: type[Direct], options: dict[str, Any]) -> type[Direct]:
    """Make a consumer class with these options."""
    return cast("type[Direct]", type(handlers.__name__, (handlers,), options))


async def replies(consumer: Callable[[], Any], texts: list[str]) -> list[str]:
    """Send frames to a new connection and leave; return everything that was sent back."""
    events: list[ASGIEvent] = [{"type": "websocket.connect"}]
    events += [{"type": "websocket.receive", "text": text} for text in texts]
    left = asyncio.Event()
    sent: list[str] = []

    async def receive() -> ASGIEvent:
        if events:
            return events.pop(0)
        async with asyncio.timeout(5):
            while not connection.is_idle:  # noqa: ASYNC110 - the probe has no event yet
                await asyncio.sleep(0)
        left.set()
        return {"type": "websocket.disconnect", "code": 1000}

    async def send(event: JSONObject) -> None:
        if event["type"] == "websocket.send":
            sent.append(event["text"])

    instance = consumer()
    scope: dict[str, Any] = {"type": "websocket", "path": "/", "headers": []}
    connection: Any = None

    def probe(probed: Any) -> None:
        nonlocal connection
        connection = probed

    scope["chanx.probe"] = probe
    await instance(scope, receive, send)
    assert left.is_set()
    return sent


def not_json(constant: str) -> None:
    """Refuse NaN and the infinities, which Python reads and JSON does not know."""
    raise AssertionError(f"{constant} was sent")


def in_order(texts: list[str], options: dict[str, Any]) -> list[Any]:
    """Parse frames; of handlers that run at once, none has to answer first."""
    frames = [json.loads(text) for text in texts]
    return sorted(frames, key=repr) if "message_concurrency" in options else frames


@pytest.mark.parametrize("options", OPTIONS, ids=["plain", "held", "camel", "kind"])
@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(texts=st.lists(frames, min_size=1, max_size=4))
def test_any_frame(options: dict[str, Any], texts: list[str]) -> None:
    """Never a crash; the same frames on the short and the long way; every one valid and bounded."""
    direct = consumer_of(Direct, options)
    short = asyncio.run(replies(direct, texts))
    long = asyncio.run(replies(consumer_of(HookByHook, options), texts))
    assert in_order(short, options) == in_order(long, options)
    wire = WireFormat(
        discriminator_field=options.get("discriminator_field", "action"),
        camelize=options.get("camelize", False),
    )
    client = Codec(direct.spec.outgoing_messages, (), wire, max_depth=200)
    for text in short:
        assert len(text.encode()) <= 8192
        assert "secret" not in text
        json.loads(text, parse_constant=not_json)
        client.decode(text)


@settings(deadline=None)
@given(orders=st.lists(orders, min_size=1, max_size=6), completion=st.booleans())
def test_every_ref_has_one_last_frame(orders: list[JSONObject], completion: bool) -> None:
    """The error, the completion, or the answer where there is no completion."""
    texts = [json.dumps({**order, "ref": str(number)}) for number, order in enumerate(orders)]
    assume(not any(word in text for text in texts for word in ("NaN", "Infinity")))
    asked = [str(n) for n, order in enumerate(orders) if order["action"] != "versioned"]
    consumer = consumer_of(Direct, {"send_completion": completion})
    last: Counter[str] = Counter()
    for text in asyncio.run(replies(consumer, texts)):
        frame = json.loads(text)
        is_last = frame["action"] in ("error", "complete") or not completion
        if is_last and frame.get("ref", "own") != "own" and frame["action"] != "versioned":
            last[frame["ref"]] += 1
    assert {ref: last[ref] for ref in asked} == dict.fromkeys(asked, 1)
