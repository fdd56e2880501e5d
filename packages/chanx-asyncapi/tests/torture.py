"""The torture application: one of everything that a document can be about."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, Literal, NamedTuple, Optional, Required, TypeVar
from uuid import UUID

from pydantic import BaseModel, Field, RootModel, computed_field, create_model
from typing_extensions import TypedDict

from chanx.asyncapi import (
    ConsumerRoute,
    DocumentOptions,
    Parameter,
    generate_document,
    to_json_text,
    to_yaml_text,
)
from chanx.core.authenticator import BaseAuthenticator, Credential
from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.topic import Topic
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage

T = TypeVar("T")


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """Of no framework: documents need none."""

    groups = ["everybody"]  # noqa: RUF012 - the documented way to write it


class Token(BaseAuthenticator):
    credentials = (
        Credential("token", "query", "A JSON Web Token"),
        Credential("X-Api-Key", "header"),
        Credential("session", "cookie"),
    )

    async def authenticate(self, scope: Any) -> bool:
        return True


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Node(BaseModel):
    """Holds others of its kind."""

    name: str
    children: list["Node"] = []


class Cat(BaseModel):
    kind: Literal["cat"]


class Dog(BaseModel):
    kind: Literal["dog"]


class Page(BaseModel, Generic[T]):
    items: list[T]


class Order(BaseModel):
    article: Annotated[str, Field(alias="articleName")]
    pets: list[Annotated[Cat | Dog, Field(discriminator="kind")]]
    node: Node = Field(description="The root")
    size: tuple[int, str] = (1, "a")
    labels: frozenset[str] = frozenset({"zeta", "alpha", "mid"})
    color: Color = Color.RED
    extra: dict[str, Any] = {"nested": {"set of": {"c", "b", "a"}}}
    limit: float = float("inf")

    @computed_field  # type: ignore[prop-decorator] # as pydantic documents it
    @property
    def total(self) -> int:
        return 1


class OrderMessage(BaseMessage):
    """Asks for something."""

    action: Literal["order", "reorder"] = "order"
    payload: Order


class OrdersMessage(BaseMessage):
    action: Literal["orders"] = "orders"
    payload: Page[Order]


def pushed(action: str, kind: Any) -> type[BaseMessage]:
    """Make a message with a nested model, whose name and path are those of the others made here."""
    item: Any = create_model("Item", value=(kind, ...))
    fields: Any = {"action": (Literal[action], action), "payload": (list[item], ...)}
    return create_model(f"{action.title()}Message", __base__=BaseMessage, **fields)


FirstMessage = pushed("first", int)
SecondMessage = pushed("second", str)


class Money(NamedTuple):
    amount: Decimal
    currency: str


class Corner(TypedDict, total=False):
    left: Required[int]
    top_most: int


@dataclass
class Box:
    width: int
    corner: Corner


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Names(RootModel[list[str]]):
    """A model that is a list."""


class Circle(BaseModel):
    """One of several shapes."""

    shape: Literal["circle"] = "circle"
    radius: Annotated[float, Field(gt=0, le=100)]


class Square(BaseModel):
    shape: Literal["square"] = "square"
    side: Annotated[int, Field(ge=1, multiple_of=2)]


class Circles(BaseMessage):
    """Discriminated twice: the message by its action, its payload by its shape."""

    action: Literal["circles"] = "circles"
    payload: Annotated[Circle | Square, Field(discriminator="shape")]


class Everything(BaseModel):
    """A field of every kind."""

    when: datetime
    day: date = date(2026, 1, 31)
    lasts: timedelta = timedelta(hours=1)
    key: UUID
    price: Decimal
    money: Money
    box: Box
    level: Level = Level.LOW
    names: Names
    raw: bytes = b""
    pattern: Annotated[str, Field(pattern="^[a-z]+$", min_length=1, max_length=9)] = "abc"
    either: int | str | None = None
    maybe: Optional[Color] = None  # noqa: UP045 - as many write it
    lists: list[list[Color]] = []
    by_level: dict[Level, Node] = {}
    unique: set[int] = Field(default_factory=set[int], max_length=5)
    anything: Any = None
    nothing: None = None
    always: Literal["yes", 1, True] = "yes"
    old: str = Field(default="", deprecated=True, examples=["an old one"])
    hostile_text: str = Field(
        default="</script>", description="</script><!--<script> $ref: #/x {y}"
    )

    @computed_field(description="Never sent by a client")  # type: ignore[prop-decorator] # as pydantic documents it
    @property
    def area_of_box(self) -> int:
        return self.box.width


class EverythingMessage(BaseMessage):
    action: Literal["everything"] = "everything"
    payload: Everything


class TwoPages(BaseMessage):
    action: Literal["two_pages"] = "two_pages"
    payload: tuple[Page[Node], Page[int]]


class AnswerA(BaseMessage):
    action: Literal["answer_a"] = "answer_a"
    payload: Node | None = None


class AnswerB(BaseMessage):
    action: Literal["answer_b"] = "answer_b"
    payload: Annotated[list[Circle | Square], Field(default_factory=list)]
    trace_id: str = ""


@channel(name="orders & more", description="Orders", tags=["shop"])
class OrderConsumer(Consumer):
    authenticator_class = Token
    emits = (SecondMessage,)
    passthrough_events = (FirstMessage,)

    @ws_handler(summary="Order", description="Takes an order", tags=["write"])
    async def handle_order(self, message: OrderMessage) -> OrdersMessage | None: ...

    @ws_handler(action="check")
    async def handle_ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()

    @event_handler(summary="Told by a worker")
    async def on_ping(self, event: PingMessage) -> PongMessage:
        return PongMessage()

    @event_handler
    async def on_silence(self, event: OrderMessage) -> None: ...


class SpelledConsumer(Consumer):
    """Spells in its own way."""

    camelize = True
    discriminator_field = "type"
    send_completion = True

    @ws_handler
    async def handle_order(self, message: OrderMessage) -> None: ...


@channel(description="Everything that a field can be", tags=["wide", "odd ones"])
class EverythingConsumer(Consumer):
    send_completion = True
    emits = (TwoPages,)

    @ws_handler(output_type=[AnswerA, AnswerB], tags=["read"])
    async def handle_everything(self, message: EverythingMessage) -> None: ...

    @ws_handler
    async def handle_circles(self, message: Circles) -> AnswerA | AnswerB | None: ...

    @event_handler
    async def on_everything(self, event: EverythingMessage) -> EverythingMessage:
        return event


class CamelConsumer(EverythingConsumer):
    """The same, in camel case and under another key."""

    camelize = True
    discriminator_field = "kind"
    authenticator_class = Token


def plain_consumer(documented: str) -> type[Consumer]:
    class PlainConsumer(Consumer):
        __doc__ = documented

        @ws_handler
        async def handle_ping(self, message: PingMessage) -> None: ...

    return PlainConsumer


class ShelfQuestion(BaseMessage):
    action: Literal["shelf_question"] = "shelf_question"
    payload: Box


class ShelfAnswer(BaseMessage):
    action: Literal["shelf_answer"] = "shelf_answer"
    payload: Color


class NewsFlash(BaseMessage):
    action: Literal["news_flash"] = "news_flash"
    payload: Level


class ShelfTopic(Topic[OrderMessage]):
    """A shelf (of one shop)."""

    pattern = "shop.(main):{shop}:shelf:{number}"
    emits = (TwoPages,)
    requests = {ShelfQuestion: ShelfAnswer}  # noqa: RUF012 - the documented way to write it

    async def authorize(self, shop: UUID, number: Annotated[int, Field(gt=0)]) -> bool:
        return True

    @ws_handler(summary="Look", tags=["read"])
    async def handle_everything(self, message: EverythingMessage) -> AnswerA | None: ...

    @event_handler
    async def on_order(self, event: OrderMessage) -> AnswerB | None: ...


@channel(name="news & more", tags=["news"])
class NewsTopic(Topic[NewsFlash]):
    pattern = "news"
    passthrough_events = (NewsFlash,)

    @ws_handler
    async def follow(self, message: Circles) -> AsyncIterator[AnswerB]:
        yield AnswerB(payload=[])


class HubConsumer(Consumer):
    """Has topics alone."""

    topics = (ShelfTopic, NewsTopic)
    authenticator_class = Token
    send_completion = True


class SpelledHubConsumer(SpelledConsumer):
    """Has topics and a handler."""

    topics = (NewsTopic, ShelfTopic)
    control_actions = {"subscribe": "join_topic"}  # noqa: RUF012 - the documented way to write it


class NewsConsumer(Consumer):
    """Has a topic for frames that name none."""

    topics = (NewsTopic,)
    default_topic = NewsTopic


ROUTES = (
    ConsumerRoute("/ws/orders/{shop}", (Parameter("shop", "int"),), OrderConsumer),
    ConsumerRoute("/ws/old/{shop}/{year}", (Parameter("year"),), OrderConsumer),
    ConsumerRoute("/ws/spelled", (), SpelledConsumer),
    ConsumerRoute("/ws/one", (), plain_consumer("One.")),
    ConsumerRoute("/ws/two", (), plain_consumer("Two.")),
    ConsumerRoute("/ws/hub", (), HubConsumer),
    ConsumerRoute("/ws/spelled-hub", (), SpelledHubConsumer),
    ConsumerRoute("/ws/news", (), NewsConsumer),
    ConsumerRoute("/ws/everything", (), EverythingConsumer),
    ConsumerRoute("/ws/camel/{userName}", (Parameter("userName", "regex: [a-z]+"),), CamelConsumer),
)
OPTIONS = DocumentOptions(title="Torture", description="One of everything", server_url="a.example")


if __name__ == "__main__":
    writers = {"to_json_text": to_json_text, "to_yaml_text": to_yaml_text}
    version: Any = sys.argv[2] if len(sys.argv) > 2 else OPTIONS.asyncapi_version
    document = generate_document(ROUTES, replace(OPTIONS, asyncapi_version=version))
    sys.stdout.write(writers[sys.argv[1]](document))
