"""Declaring consumers: what is read from a class, and what is refused."""

import inspect
from abc import ABC
from collections.abc import AsyncIterator, Sequence
from typing import Any, ClassVar, Literal, Optional, Union, cast

import pytest

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import ErrorMessage, PongMessage

# ruff: noqa: UP007, UP045 - the old spellings of unions are the subject of a test


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """A base without framework."""


class Note(BaseMessage):
    """A message with two names."""

    action: Literal["note", "memo"] = "note"
    payload: str


def test_routes_and_outputs_are_read_from_annotations() -> None:
    """The parameter names the input, the return annotation the outputs, in every spelling."""

    class Reader(Consumer):
        @ws_handler
        async def ping(self, message: PingMessage) -> Optional[PongMessage]:
            """Answer."""

        @ws_handler(summary="Take a note", tags=["notes"], action="take")
        async def note(self, message: Note) -> Union[Note, PongMessage, None]:
            """Answer."""

    handlers = Reader.spec.handlers.messages
    assert sorted(handlers) == ["memo", "note", "ping"]
    assert handlers["ping"].output_types == (PongMessage,)
    assert handlers["note"] is handlers["memo"]
    assert handlers["note"].output_types == (Note, PongMessage)
    assert (handlers["note"].action, handlers["note"].summary, handlers["note"].tags) == (
        "take",
        "Take a note",
        ("notes",),
    )


@pytest.mark.parametrize("output", [[Note, PongMessage], (Note, PongMessage), Note | PongMessage])
def test_explicit_types_win(output: Any) -> None:
    """`input_type` and `output_type` make annotations irrelevant."""

    class Explicit(Consumer):
        @ws_handler(input_type=PingMessage, output_type=output)
        async def ping(self, message: Any) -> None:
            """Send by itself."""

    assert Explicit.spec.handlers.messages["ping"].output_types == (Note, PongMessage)


def test_handler_without_message_is_refused() -> None:
    """Already when it is decorated."""
    with pytest.raises(ValueError, match="Must provide input type"):

        @ws_handler
        async def nothing(self: Any) -> None:  # pyright: ignore[reportUnusedFunction]
            """Take nothing."""


@pytest.mark.parametrize(
    ("decorator", "options"),
    [(ws_handler, ["action", "cancellable", "concurrent", "guards"]), (event_handler, [])],
    ids=["ws_handler", "event_handler"],
)
def test_options_of_a_decorator(decorator: Any, options: list[str]) -> None:
    """`help()` and editors show each option; an unknown one is refused where it is written."""
    shared = ["func", "input_type", "output_type", "description", "summary", "tags"]
    assert sorted(inspect.signature(decorator).parameters) == sorted([*shared, *options])
    with pytest.raises(TypeError, match="unexpected keyword argument 'sumary'"):
        decorator(sumary="A misspelling")


@pytest.mark.parametrize("wrong", ["ping", PingMessage])
def test_decorator_marks_methods_only(wrong: Any) -> None:
    """An action or a message in place of the method says how to write it."""
    with pytest.raises(TypeError, match=r"write @ws_handler or @ws_handler\(option=\.\.\.\)"):
        ws_handler(wrong)


def refused(match: str, **handlers: Any) -> None:
    """Expect a class with these handlers to be refused."""
    with pytest.raises(TypeError, match=match):
        type("Wrong", (Consumer,), handlers)


def test_wrong_declarations_name_class_method_and_cure() -> None:
    """Each is a TypeError at class creation."""

    @ws_handler
    def sync(self: Any, message: PingMessage) -> Any:
        """Forget async."""

    @ws_handler
    async def untyped(self: Any, message: int) -> None:
        """Forget the type."""

    @ws_handler
    async def number(self: Any, message: PingMessage) -> int:
        """Return no message."""
        return 1

    @ws_handler
    async def base(self: Any, message: BaseMessage) -> None:
        """Take anything."""

    refused(r"Wrong\.sync\(\) must be async: write 'async def sync'", sync=sync)
    refused(
        r"Input type int for Wrong\.untyped\(\) must be a BaseMessage subclass",
        untyped=untyped,
    )
    refused(r"Output type int of Wrong\.number\(\) is not a message", number=number)
    refused(r"Input type BaseMessage for Wrong\.base\(\)", base=base)


def test_streams_say_what_they_yield() -> None:
    """A stream without a type, a type without a stream, and an event handler that yields."""

    async def untold(self: Any, message: PingMessage):  # type: ignore[no-untyped-def] # the mistake
        """Forget the type."""
        yield PongMessage()

    @ws_handler
    async def unyielding(self: Any, message: PingMessage) -> AsyncIterator[PongMessage]:
        """Forget to yield."""
        raise NotImplementedError

    async def streamed(self: Any, event: PingMessage) -> AsyncIterator[PongMessage]:
        """Yield where one message is returned."""
        yield PongMessage()

    handler, listener = cast(Any, ws_handler), cast(Any, event_handler)
    refused(r"Wrong\.untold\(\) yields: annotate what, write '-> Async", untold=handler(untold))
    refused(
        r"Wrong\.unyielding\(\) is annotated to return an async iterator, and does not yield",
        unyielding=unyielding,
    )
    refused(
        r"Wrong\.streamed\(\) yields, and an event handler returns one", streamed=listener(streamed)
    )


def test_input_without_annotation_is_refused() -> None:
    """An error that says `(none)`: there is no type to name."""

    async def bare(self: Any, message) -> None:  # type: ignore[no-untyped-def] # pyright: ignore[reportMissingParameterType, reportUnknownParameterType] # the mistake
        """Forget the type."""

    refused(r"Input type \(none\) for Wrong\.bare\(\)", bare=cast(Any, ws_handler)(bare))


def test_base_class_of_messages_is_no_input() -> None:
    """Its action is any text, so no message could be routed to the handler."""

    class Abstract(BaseMessage, ABC):
        """Has no action yet."""

    @ws_handler
    async def anything(self: Any, message: Abstract) -> None:
        """Take anything."""

    refused(r"Abstract, the input of Wrong\.anything\(\), does not declare", anything=anything)


def test_requests_map_messages_to_messages() -> None:
    """Anything else is refused by name; a handler called `requests` is a handler."""

    @ws_handler
    async def requests(self: Any, message: PingMessage) -> None:
        """Take pings."""

    right: Any = type("Right", (Consumer,), {"requests": requests})
    assert right.spec.requests == {}
    refused(r"requests of Wrong must map .*, and names <class 'int'>", requests={PingMessage: int})


def test_two_outputs_of_one_action_are_refused() -> None:
    """Clients could not tell them apart."""

    class OtherPong(BaseMessage):
        action: Literal["pong"] = "pong"
        payload: int

    @ws_handler
    async def ping(self: Any, message: PingMessage) -> PongMessage | OtherPong:
        """Answer in one way or the other."""
        return PongMessage()

    refused(r"Wrong sends two messages with action 'pong': PongMessage and OtherPong", ping=ping)


def test_an_event_of_a_grandchild_may_be_sent_by_the_base() -> None:
    """A base class knows the events of every class below it, and refuses those of none."""

    class Top(Consumer):
        """Handles nothing."""

    class Middle(Top):
        """Handles nothing, either."""

    class Bottom(Middle):
        @event_handler
        async def later(self, event: Later) -> None:
            """Take it."""

    assert sorted(Bottom.spec.handlers.events) == ["later"]
    Top.spec.check_event(Later())
    with pytest.raises(TypeError, match="Top has no handler for the event 'note'"):
        Top.spec.check_event(Note(payload=""))


def test_action_needs_a_default_in_handlers() -> None:
    """Routing needs to know the action of the class."""

    class Bare(BaseMessage):
        action: Literal["bare"]
        payload: None

    @ws_handler
    async def bare(self: Any, message: Bare) -> None:
        """Take it."""

    refused(
        r'Bare, the input of Wrong\.bare\(\), has no default.*Literal\[...\] = "bare"', bare=bare
    )


def test_two_handlers_for_one_action_are_refused() -> None:
    """Methods are named in alphabetical order."""

    @ws_handler
    async def second(self: Any, message: PingMessage) -> None:
        """Take pings."""

    @ws_handler
    async def first(self: Any, message: PingMessage) -> None:
        """Take pings as well."""

    refused(
        r"Wrong has two message handlers for action 'ping': first\(\) and second\(\)",
        second=second,
        first=first,
    )


def test_reserved_action_is_refused() -> None:
    """Clients could not tell such a message from the library's own."""

    class MyError(BaseMessage):
        action: Literal["error"] = "error"
        payload: int

    @ws_handler
    async def ping(self: Any, message: PingMessage) -> MyError:
        """Send a wrong error."""
        return MyError(payload=1)

    @ws_handler
    async def own(self: Any, message: PingMessage) -> ErrorMessage:
        """Send the library's own."""
        return ErrorMessage(payload=1)

    refused("sends MyError with the reserved action 'error'", ping=ping)
    right: Any = type("Right", (Consumer,), {"own": own})
    assert sorted(right.spec.handlers.messages) == ["ping"]


def test_message_and_event_may_share_an_action() -> None:
    """They come from different sides."""

    class Both(Consumer):
        @ws_handler
        async def note(self, message: Note) -> None:
            """Take it from the client."""

        @event_handler
        async def noted(self, event: Note) -> Note:
            """Take it from the server."""
            return event

    assert sorted(Both.spec.handlers.events) == ["memo", "note"]


def test_override_without_decorator_removes_a_handler() -> None:
    """A subclass can take a handler away."""

    class Pinged(Consumer):
        @ws_handler
        async def ping(self, message: PingMessage) -> PongMessage:
            """Answer."""
            return PongMessage()

    class Unpinged(Pinged):
        async def ping(self, message: PingMessage) -> PongMessage:
            """Answer nobody."""
            return PongMessage()

    assert sorted(Pinged.spec.handlers.messages) == ["ping"]
    assert Unpinged.spec.handlers.messages == {}
    assert Unpinged.incoming_message_adapter is None


def test_forward_reference_is_resolved_at_first_use() -> None:
    """A handler may name a message that is defined later."""

    class Early(Consumer):
        @ws_handler
        async def later(self, message: "Later") -> None:
            """Take it."""

    assert sorted(Early.spec.handlers.messages) == ["later"]


class Later(BaseMessage):
    """Defined behind its handler."""

    action: Literal["later"] = "later"
    payload: None = None


def test_channel_metadata() -> None:
    """A name is the class's own; a description falls back on the docstring."""

    @channel(name="special", tags=["a"])
    class SpecialConsumer(Consumer):
        """The docstring.

        Indented.
        """

    class MyWebSocketConsumer(SpecialConsumer):
        pass

    assert SpecialConsumer.spec.channel == {
        "name": "special",
        "description": "The docstring.\n\nIndented.",
        "tags": ["a"],
    }
    assert MyWebSocketConsumer.spec.channel == {
        "name": "my_web_socket",
        "description": None,
        "tags": ["a"],
    }


def test_channel_needs_parentheses() -> None:
    """Without them the class would be taken for an option; a text would be read letter by letter."""
    described: Any = channel
    with pytest.raises(TypeError, match=r"write @channel\(name=\.\.\.\)"):
        described(Consumer)
    decorators: list[Any] = [channel, ws_handler, event_handler]
    for decorator in decorators:
        with pytest.raises(TypeError, match=r"write 'tags=\['notes'\]'"):
            decorator(tags="notes")


def test_groups_emits_and_passthrough_are_merged_from_mixins() -> None:
    """Each class of the MRO adds its own."""

    class Mixed(Consumer):
        extra_groups: ClassVar[Sequence[str]] = ("mixed",)
        emits: ClassVar[Sequence[Any]] = (Note,)
        passthrough_events = (Later,)

    class Whole(Mixed):
        extra_groups = ("whole", "mixed")
        emits = (PongMessage,)

    assert Whole.spec.extra_groups == ("whole", "mixed")
    assert Whole.spec.emits == (PongMessage, Note)
    handler = Whole.spec.handlers.events["later"]
    assert (handler.method_name, handler.output_types) == ("handle_passthrough_later", (Later,))
    assert handler.description == "Passthrough handler for Later"
    with pytest.raises(TypeError, match="emits item 3 of Bad must be a BaseMessage subclass"):
        type("Bad", (Consumer,), {"emits": (3,)})


def test_event_handler_takes_a_message_type() -> None:
    """An input type that is no message is refused, as for messages of clients."""
    with pytest.raises(
        TypeError, match=r"Input type dict for Wrong\.news\(\) must be a BaseMessage subclass"
    ):

        class Wrong(ChanxWebsocketConsumerMixin[Any]):  # pyright: ignore[reportUnusedClass] # refused
            @event_handler(input_type=cast(Any, dict))
            async def news(self, event: Any) -> None:
                """Never run."""


def test_authenticator_has_to_authenticate() -> None:
    """A subclass without `authenticate()` cannot be made."""

    class Incomplete(BaseAuthenticator):
        """Has nothing."""

    incomplete: Any = Incomplete
    with pytest.raises(TypeError, match="authenticate"):
        incomplete(None)
