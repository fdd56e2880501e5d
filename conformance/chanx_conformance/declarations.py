"""What a consumer class declares, and which mistakes are refused when it is created."""

import re
import warnings
from collections.abc import AsyncIterator, Awaitable
from functools import wraps
from typing import Any, Literal, cast

import pytest
from pydantic import computed_field

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.guards import Guard
from chanx.core.limits import Limits
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import EventPayload, Scope
from chanx_conformance.consumers import Admits, Basic, Telling
from chanx_conformance.models import ChatMessage, ChatPayload, NewsEvent
from chanx_conformance.suite import Suite

__all__ = ["DeclarationTests"]


class LookMessage(BaseMessage):
    """Has fields with the names of envelope keys, and one that is none yet."""

    action: Literal["look"] = "look"
    payload: None = None
    ref: str = ""
    seq: int = 0
    version: int = 0
    window: int = 0
    cursor: int = 0


class SeenMessage(LookMessage):
    """Has them too."""

    action: Literal["seen"] = "seen"  # type: ignore[assignment]  # pyright: ignore[reportIncompatibleVariableOverride]


class CountedMessage(BaseMessage):
    """Computes a field of such a name."""

    action: Literal["counted"] = "counted"
    payload: None = None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def seq(self) -> int:
        """Return a number."""
        return 1


# Any: what a decorator returns. Each call makes a new one, because decorators write on the function.
def looking(decorator: Any = ws_handler, **options: Any) -> Any:
    """Make a handler that answers once."""

    async def look(consumer: Any, message: LookMessage) -> SeenMessage:
        """Answer."""
        return SeenMessage()

    return decorator(**options)(look)


@ws_handler
async def look_on(consumer: Any, message: LookMessage) -> AsyncIterator[SeenMessage]:
    """Answer by a stream."""
    yield SeenMessage()


@ws_handler
async def count(consumer: Any, message: PingMessage) -> AsyncIterator[CountedMessage]:
    """Answer by a stream."""
    yield CountedMessage()


class Everybody(Guard):
    """Lets every message pass."""

    async def check(self, consumer: Any, message: BaseMessage) -> None:
        """Allow."""


async def allow(origin: str, scope: Scope) -> bool:
    """Allow every origin, or so it seems."""
    return True


def named(value: Any) -> str:
    """Name a parameter without its address, which differs between the processes that run the tests."""
    return re.sub(r" at 0x\w+", "", str(value))


class DeclarationTests(Suite):
    """Mistakes in the attributes and methods of a class."""

    def refuse(self, match: str, **attributes: Any) -> None:
        """Expect a class with these attributes to be refused."""
        with pytest.raises(TypeError, match=match):
            type("Wrong", (Basic, self.base), attributes)

    @pytest.mark.parametrize(
        ("name", "value", "cure"),
        [
            ("authentication_class", Admits, "authenticator_class"),
            ("authenticator_classes", [Admits], "authenticator_class"),
            ("authenticator", Admits, "authenticator_class"),
            ("group", ["lobby"], "groups"),
            ("guard", Everybody(), "guards"),
            ("guards", [Everybody()], "guards"),
            ("allowed_origin", "https://a.example", "allowed_origins"),
            ("channel_layer", "fast", "channel_layer_alias"),
            ("emit", PongMessage, "emits"),
            ("limit", Limits(), "limits"),
            ("passthrough_event", [PongMessage], "passthrough_events"),
        ],
    )
    def test_misspelt_option(self, name: str, value: Any, cure: str) -> None:
        """An option under a wrong name would have no effect, and might admit every client."""
        self.refuse(rf"^Wrong\.{name} is not an option .*: .*'.*\b{cure}\b", **{name: value})
        mixin = type("Mixin", (), {name: value})
        with pytest.raises(TypeError, match=rf"^Mixin\.{name} is not an option"):
            type("Wrong", (mixin, Basic, self.base), {})

    def test_own_attributes_of_such_names(self) -> None:
        """A value of another type than the option's is an attribute of the user's own."""
        own: dict[str, Any] = {"group": "lobby", "guard": 7, "guards": [], "limit": 5}
        consumer: Any = type("Right", (Basic, self.base), {**own, "authenticator": None})
        assert {name: getattr(consumer, name) for name in own} == own

    @pytest.mark.parametrize(
        ("name", "value", "cure"),
        [
            ("groups", "lobby", r"write 'groups = \['lobby'\]'"),
            ("extra_groups", "lobby", r"write 'extra_groups = \['lobby'\]'"),
            ("groups", [["lobby"]], r"must be a list of strings, and is \[\['lobby'\]\]"),
            ("emits", "pong", r"write 'emits = \['pong'\]'"),
            ("emits", PongMessage, r"write 'emits = \[PongMessage\]'"),
            ("passthrough_events", PongMessage, r"write 'passthrough_events = \[PongMessage\]'"),
            ("log_ignored_actions", "ping", r"write 'log_ignored_actions = \['ping'\]'"),
            ("allowed_origins", "https://*", r"write '\['https://\*'\]'"),
            ("allowed_origins", allow, r"allow\(\) is async"),
            ("allowed_origins", staticmethod(allow), r"allow\(\) is async"),
        ],
        ids=named,
    )
    def test_text_in_place_of_a_list(self, name: str, value: Any, cure: str) -> None:
        """A text would be read letter by letter; an async function would allow every origin."""
        self.refuse(rf"^Wrong\.{name}\b.*{cure}", **{name: value})

    @pytest.mark.parametrize("named", ["lobby", [["lobby"]], None])
    async def test_get_groups_returns_names(
        self, named: Any, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Anything but a list of names closes the connection, and the log says what is needed."""

        class Naming(Basic):
            async def get_groups(self) -> list[str]:
                """Name groups."""
                return named  # type: ignore[no-any-return]

        ws = self.connect(Naming)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()
        assert "Naming.get_groups() must return a list of group names" in caplog.text

    @pytest.mark.parametrize("decorator", [ws_handler, event_handler])
    @pytest.mark.parametrize(
        "name",
        ["close", "codec", "config", "connection", "disconnect", "groups", "scope", "send", "spec"],
    )
    def test_handler_named_like_an_attribute_of_the_library(
        self, name: str, decorator: Any
    ) -> None:
        """It would replace what the library needs: on a connection, or `close()` without a word."""

        async def handle(self: Any, message: NewsEvent) -> None:
            """Take it."""

        cure = rf"^Wrong\.{name}\(\) is a handler.* rename the method, .* handle_{name}\(\)"
        self.refuse(cure, **{name: decorator(handle)})

    def test_handler_hidden_by_a_decorator(self) -> None:
        """A wrapper without the handler's attributes would not be a handler, so no message would reach it."""

        class Counting:
            def __init__(self, function: Any) -> None:
                self.function = function

            def __call__(self, *arguments: Any) -> Any:
                """Call it."""
                return self.function(*arguments)

        def logged(function: Any) -> Any:
            async def wrapper(*arguments: Any) -> Any:
                return await function(*arguments)

            return wrapper

        async def handle(consumer: Any, message: ChatMessage) -> ChatMessage:
            """Say it back."""
            return message

        cure = r"^Wrong\.chat\(\) would not be a handler: .* Write @ws_handler on top"
        for decorator in (logged, Counting, staticmethod):
            self.refuse(cure, chat=decorator(ws_handler(handle)))

    async def test_decorator_that_takes_over_the_attributes(self) -> None:
        """With `functools.wraps()`, a decorator may stand above or below `@ws_handler`."""

        def renamed(function: Any) -> Any:
            @wraps(function)
            async def wrapper(consumer: Any, message: ChatMessage) -> Any:
                message.payload.user_name += "!"
                return await function(consumer, message)

            return wrapper

        class Wrapped(Basic):
            @renamed
            @ws_handler
            @renamed
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Say it back."""
                return message

        async with self.connect(Wrapped) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            assert (await ws.receive_json_from())["payload"]["user_name"] == "ada!!"

    async def test_undeclared_reply_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """A message that the document does not have is sent, and the log says how to declare it."""

        class Forgetful(ChanxWebsocketConsumerMixin[Any]):
            @ws_handler
            async def ping(self, message: PingMessage):  # type: ignore[no-untyped-def]
                """Answer, without saying with what."""
                return NewsEvent(payload="new")

        consumer = self.make(Forgetful)
        for _ in range(2):
            async with self.connect_to(consumer) as ws:
                for _ in range(2):
                    await ws.send_message(PingMessage())
                    assert (await ws.receive_json_from())["action"] == "news"
        logged = [line for line in caplog.text.splitlines() if "not declare" in line]
        assert len(logged) == 1
        assert "Forgetful" in logged[0]
        assert "NewsEvent" in logged[0]

    def test_message_that_exists_for_type_checkers_only(self) -> None:
        """A forward reference may still be defined when the class is created; when it is served, it has to be."""

        async def handle(self: Any, message: Any) -> None:
            """Take it."""

        handle.__annotations__["message"] = "OnlyForTypes"
        consumer: Any = type("Late", (Basic, self.base), {"chat": ws_handler(handle)})
        cure = r"^An annotation of Late\.chat\(\) names 'OnlyForTypes', .* import it outside"
        with pytest.raises(NameError, match=cure):
            consumer.as_asgi()
        with pytest.raises(NameError, match=cure):
            _ = consumer.spec.handlers

    def test_authenticator_class_is_a_class(self) -> None:
        """An instance would serve every connection, and another class cannot decide about one."""

        class Foreign:
            """Has nothing to do with it."""

        async def send(message: BaseMessage) -> None:
            """Send nothing."""

        where = r"^Wrong\.authenticator_class"
        self.refuse(rf"{where} is an instance: .* Admits\.", authenticator_class=Admits(send))
        self.refuse(rf"{where} .* BaseAuthenticator, .* Foreign", authenticator_class=Foreign)
        self.refuse(rf"{where} .* BaseAuthenticator, .* 'Admits'", authenticator_class="Admits")
        self.refuse(rf"{where} is Telling, .* no authenticate\(\)", authenticator_class=Telling)

    @pytest.mark.parametrize(
        "hook", ["connect", "disconnect", "get_groups", "on_resync", "post_authentication"]
    )
    def test_hook_that_is_not_async(self, hook: str) -> None:
        """The library awaits it, so it is refused before there is a connection."""

        def plain(self: Any, *arguments: Any) -> None:
            """Forget async."""

        def passing_on(self: Any, *arguments: Any) -> Awaitable[None]:
            """Say that it is awaited."""
            raise NotImplementedError

        self.refuse(rf"^Wrong\.{hook}\(\) must be async: write 'async def {hook}'", **{hook: plain})
        type("Right", (Basic, self.base), {hook: passing_on})

    def test_authenticator_and_guard_are_async(self) -> None:
        """A plain function would fail on each connection or message."""

        def plain(self: Any, *arguments: Any) -> bool:
            """Forget async."""
            return True

        with pytest.raises(TypeError, match=r"^Plain\.authenticate\(\) must be async"):
            type("Plain", (BaseAuthenticator,), {"authenticate": plain})
        with pytest.raises(TypeError, match=r"^Plain\.check\(\) must be async"):
            type("Plain", (Guard,), {"check": plain})

    async def test_invalid_group_is_named(self, caplog: pytest.LogCaptureFixture) -> None:
        """To join it closes the connection, to send to it raises; both name the group and the cure."""

        class Spaced(Basic):
            groups: list[str] = ["my room"]  # noqa: RUF012 - the documented way to write it

        ws = self.connect(Spaced)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()
        log = caplog.text
        assert "Spaced uses the group 'my room', which is not a valid name" in log
        assert "safe_group_name()" in log
        event = NewsEvent(payload="new")
        consumer: Any = self.make(Basic)
        with pytest.raises(TypeError, match=r"^Basic uses the group 'my room', .*safe_group_name"):
            await consumer.broadcast_event(event, "my room")
        with pytest.raises(TypeError, match=r"Groups must be .* \[\['lobby'\]\]"):
            await consumer.broadcast_event(event, [["lobby"]])

    async def test_event_without_a_handler(self) -> None:
        """It would be lost at each member; a handler of a subclass is one."""

        class Silent(ChanxWebsocketConsumerMixin[Any]):
            """Handles no events."""

        base: Any = self.make(Silent)
        event = NewsEvent(payload="new")
        cure = r"^Silent has no handler for the event 'news': add an @event_handler for NewsEvent"
        with pytest.raises(TypeError, match=cure):
            await base.broadcast_event(event, "lobby")
        with pytest.raises(TypeError, match=cure):
            await base.send_event(event, "channel")

        class Loud(base):  # type: ignore[misc]
            @event_handler
            async def news(self, event: NewsEvent) -> None:
                """Hear it."""

        class Reading(Silent):
            async def handle_channel_event(self, event_payload: EventPayload) -> None:
                """Read it by hand."""

        assert Loud.spec.handlers.events
        await base.broadcast_event(event, "lobby")
        await cast(Any, self.make(Reading)).broadcast_event(event, "lobby")

    async def test_handler_that_forgets_to_await(self, caplog: pytest.LogCaptureFixture) -> None:
        """What it returns is a coroutine; the log names the function that was called."""

        class Forgetful(Basic):
            @ws_handler
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Pass it on."""
                return cast(ChatMessage, self.said(message))

            @event_handler
            async def news(self, event: NewsEvent) -> ChatMessage:
                """Pass it on."""
                return cast(ChatMessage, self.said(ChatMessage(payload=ChatPayload(user_name="x"))))

            async def said(self, message: ChatMessage) -> ChatMessage:
                """Say it back."""
                return message

        async with self.connect(Forgetful) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            assert (await ws.receive_json_from())["action"] == "error"
            await ws.consumer.broadcast_event(NewsEvent(payload="new"), "lobby")
            await ws.idle()
        assert caplog.text.count("said(), which was called without 'await'") == 2

    # Fields named like envelope keys

    @pytest.mark.parametrize(
        ("attributes", "expected"),
        [
            (
                {"look": look_on},
                [
                    *[("receives LookMessage", key) for key in ("ref", "version", "window")],
                    *[("sends SeenMessage", key) for key in ("ref", "seq", "version")],
                ],
            ),
            (
                {"look": looking(cancellable=True)},
                [
                    *[("receives LookMessage", key) for key in ("ref", "version")],
                    *[("sends SeenMessage", key) for key in ("ref", "version")],
                ],
            ),
            (
                {"look": looking(), "count": count},
                [
                    ("sends CountedMessage", "seq"),
                    *[("receives LookMessage", key) for key in ("ref", "version")],
                    *[("sends SeenMessage", key) for key in ("ref", "version")],
                ],
            ),
            (
                {"requests": {SeenMessage: LookMessage}},
                [
                    *[("sends SeenMessage", key) for key in ("ref", "version")],
                    *[("receives LookMessage", key) for key in ("ref", "version")],
                ],
            ),
        ],
        ids=["stream", "cancellable", "beside a stream", "requests"],
    )
    def test_fields_named_like_envelope_keys(
        self, attributes: dict[str, Any], expected: list[tuple[str, str]]
    ) -> None:
        """A warning names class, message, field and cure, once for each that the feature needs."""
        with warnings.catch_warnings(record=True, category=UserWarning) as caught:
            warnings.simplefilter("always")
            made: Any = type("Looking", (self.base,), attributes)
            made.as_asgi()  # reads the declarations again
        found = [
            re.match(
                r"^Looking (\w+ \w+), which has a field '(\w+)'\. .*: move .*, or rename it\.$",
                str(warning.message),
            )
            for warning in caught
        ]
        assert [match and match.groups() for match in found] == expected

    def test_fields_of_such_names_where_no_feature_needs_them(self) -> None:
        """They are names like any other: in classes without streams, in events and what these send."""
        own: dict[str, Any] = {"look": looking(), "emits": [CountedMessage]}
        type("Looking", (self.base,), own)  # a warning would be an error
        pushed: dict[str, Any] = {"look": looking(event_handler), "report": count}
        with pytest.warns(UserWarning, match="CountedMessage") as caught:
            type("Pushing", (self.base,), pushed)
        assert len(caught) == 1
