"""Streams, cancelling, credit and requests of the server: what documents say, and what breaks clients."""

import re
from collections.abc import AsyncIterator
from typing import Any, Literal

import pytest
from pydantic import ConfigDict

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document
from chanx.asyncapi.diff import Change, compare_documents
from chanx.asyncapi.docs import docs_page
from chanx.asyncapi.validation import validate_document
from chanx.asyncapi.validation._structure import schema_validator
from chanx.core.decorators import event_handler, ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


class Consumer(ChanxWebsocketConsumerMixin[Any]):
    """Of no framework."""


class Ask(BaseMessage):
    model_config = ConfigDict(extra="forbid")

    action: Literal["ask"] = "ask"
    payload: str


class Token(BaseMessage):
    model_config = ConfigDict(extra="forbid")

    action: Literal["token"] = "token"
    payload: str


class ToolCall(BaseMessage):
    action: Literal["tool_call", "tool_result"] = "tool_call"
    payload: str


class Report(BaseMessage):
    action: Literal["report"] = "report"
    payload: None = None


class Approve(BaseMessage):
    action: Literal["approve"] = "approve"
    payload: str


class Approved(BaseMessage):
    action: Literal["approved"] = "approved"
    payload: bool


class AskConsumer(Consumer):
    """Answers by one message."""

    @ws_handler
    async def ask(self, message: Ask) -> Token:
        return Token(payload="")


class StreamConsumer(Consumer):
    """Answers by a stream."""

    @ws_handler
    async def ask(self, message: Ask) -> AsyncIterator[Token]:
        yield Token(payload="")


class ToolConsumer(Consumer):
    """Its stream has items of three actions."""

    @ws_handler
    async def ask(self, message: Ask) -> AsyncIterator[Token | ToolCall]:
        yield Token(payload="")


class ToolEventConsumer(StreamConsumer):
    """Sends the same messages, and not all in the stream."""

    @event_handler
    async def on_call(self, event: ToolCall) -> ToolCall:
        return event


class ModesConsumer(Consumer):
    """Answers in each other way, in names that do not agree with what is on the wire."""

    @ws_handler
    async def ask(self, message: Ask) -> "Token | None": ...

    @ws_handler(output_type=[Token, ToolCall], cancellable=True)
    async def report(self, message: Report) -> None: ...

    @ws_handler
    async def ping(self, message: PingMessage) -> None: ...


class ReportConsumer(Consumer):
    """Can be cancelled, and streams nothing."""

    @ws_handler(cancellable=True)
    async def report(self, message: Report) -> Token:
        return Token(payload="")


class PlainReportConsumer(Consumer):
    """Cannot be cancelled."""

    @ws_handler
    async def report(self, message: Report) -> Token:
        return Token(payload="")


class ApproveConsumer(Consumer):
    """Asks its client."""

    requests = {Approve: Approved}  # noqa: RUF012 - the documented way to write it

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        return PongMessage()


def document_of(*consumers: type[Consumer], **options: Any) -> dict[str, Any]:
    """Describe consumers; what is described must be valid."""
    routes = [ConsumerRoute(f"/ws/{i}", (), consumer) for i, consumer in enumerate(consumers)]
    document = generate_document(routes, DocumentOptions(server_url="a.example", **options))
    assert validate_document(document) == []
    return document


def answers_of(document: dict[str, Any], operation: str) -> Any:
    return document["operations"][operation]["reply"]["x-answers"]


def messages_of(part: dict[str, Any]) -> list[str]:
    return [message["$ref"].rpartition("/")[2] for message in part["messages"]]


def is_valid(document: dict[str, Any], message: str, **frame: Any) -> bool:
    payload = document["components"]["messages"][message]["payload"]
    validator = schema_validator({**payload, "components": document["components"]})
    return not list(validator.iter_errors(frame))


# Answers


@pytest.mark.parametrize("version", ["3.0.0", "3.1.0"])
def test_a_stream_lists_its_items_and_its_ends(version: str) -> None:
    document = document_of(ToolConsumer, asyncapi_version=version)
    operation = document["operations"]["ask"]

    assert operation["action"] == "receive"
    assert messages_of(operation["reply"]) == [
        "token",
        "tool_call",
        "error_message",
        "complete_message",
    ]
    assert answers_of(document, "ask") == {
        "mode": "stream",
        "messages": ["token", "tool_call", "tool_result"],
        "ends": ["complete", "error"],
        "window": 32,
        "cancellable": True,
    }


def test_other_answers_say_how_many_messages_there_are() -> None:
    document = document_of(ModesConsumer)
    ends = ["complete", "error"]

    assert answers_of(document, "ask") == {"mode": "one", "messages": ["token"], "ends": ends}
    assert answers_of(document, "ping") == {"mode": "none", "messages": [], "ends": ends}
    assert answers_of(document, "report") == {
        "mode": "many",
        "messages": ["token", "tool_call", "tool_result"],
        "ends": ends,
        "cancellable": True,
    }


def test_strict_messages_of_a_stream_may_carry_what_a_stream_needs() -> None:
    document = document_of(StreamConsumer)

    assert is_valid(document, "ask", action="ask", payload="why?", ref="7", window=1024)
    for window in (0, 1025, "8"):
        assert not is_valid(document, "ask", action="ask", payload="why?", ref="7", window=window)
    assert is_valid(document, "token", action="token", payload="Be", version=1, ref="7", seq=1)
    assert not is_valid(document, "token", action="token", payload="Be", ref="7", seq=0)

    document = document_of(AskConsumer)
    assert not is_valid(document, "ask", action="ask", payload="why?", ref="7", window=32)
    assert not is_valid(document, "token", action="token", payload="Be", ref="7", seq=1)


# Control messages


def test_streams_can_be_cancelled_and_given_credit() -> None:
    document = document_of(StreamConsumer)
    operations = document["operations"]

    for name in ("cancel", "more"):
        assert operations[name]["action"] == "receive"
        assert messages_of(operations[name]) == [f"{name}_control"]
        assert "reply" not in operations[name]
    assert is_valid(document, "cancel_control", action="cancel", ref="7")
    assert not is_valid(document, "cancel_control", action="cancel")
    for ref in (7, "7" * 65):
        assert not is_valid(document, "cancel_control", action="cancel", ref=ref)
    for credit, valid in {1: True, 1024: True, 0: False, 1025: False, "8": False}.items():
        given = is_valid(document, "more_control", action="more", payload=credit, ref="7")
        assert given is valid
    assert not is_valid(document, "more_control", action="more", payload=1)
    assert not is_valid(document, "more_control", action="more", ref="7")


def test_only_what_a_class_claims_is_described() -> None:
    assert document_of(ReportConsumer)["operations"].keys() == {
        "report",
        "cancel",
        "report_notices",
    }
    assert document_of(AskConsumer)["operations"].keys() == {"ask", "ask_notices"}


def test_control_messages_are_spelled_as_the_class_spells_them() -> None:
    class SpelledConsumer(StreamConsumer):
        camelize = True
        discriminator_field = "type"
        control_actions = {"cancel": "stop_it"}  # noqa: RUF012 - the documented way to write it

    document = document_of(SpelledConsumer)

    assert document["operations"].keys() >= {"stop_it", "more"}
    assert "cancel" not in document["operations"]
    assert is_valid(document, "stop_it_control", type="stop_it", ref="7")
    assert not is_valid(document, "stop_it_control", action="stop_it", ref="7")
    assert is_valid(document, "more_control", type="more", payload=8, ref="7")


def test_two_channels_share_the_message_and_not_the_operation() -> None:
    document = document_of(StreamConsumer, ReportConsumer)

    assert messages_of(document["operations"]["cancel"]) == ["cancel_control"]
    other = document["operations"]["report_cancel"]
    assert other["messages"] == [{"$ref": "#/channels/report/messages/cancel_control"}]


# Requests of the server


def test_the_client_answers_requests_of_the_server() -> None:
    document = document_of(ApproveConsumer)
    operation = document["operations"]["approve"]

    assert operation["action"] == "send"
    assert messages_of(operation) == ["approve"]
    assert messages_of(operation["reply"]) == ["approved"]
    assert is_valid(document, "approve", action="approve", payload="sure?", version=1, ref="s.1")
    assert is_valid(document, "approved", action="approved", payload=True, ref="s.1")
    assert not is_valid(document, "approved", action="approved", payload="perhaps", ref="s.1")
    ref = document["components"]["schemas"]["Approved"]["properties"]["ref"]
    assert ref["description"].startswith("Chosen by the server")


# The page


def on_page(page: str, operation: str) -> str:
    """Return what the page says about an operation, as text."""
    _, _, rest = page.partition(f'id="operation-{operation}">')
    inside, _, _ = rest.partition("</article>")
    return " ".join(re.sub(r"<[^>]*>", " ", inside).split())


def test_the_page_says_how_a_message_is_answered() -> None:
    page = docs_page(document_of(ToolConsumer))

    assert on_page(page, "ask") == (
        "ask Message ask Answer stream of token , tool_call, tool_result End complete , error "
        "Credit &quot;window&quot;: 32 to begin with, then more Cancel cancel"
    )


def test_the_page_tells_the_other_answers_apart() -> None:
    page = docs_page(document_of(ModesConsumer))

    assert "Answer one message token End complete , error" in on_page(page, "ask")
    assert "Answer no message End complete , error" in on_page(page, "ping")
    assert "Answer any number of token , tool_call, tool_result" in on_page(page, "report")
    assert "Cancel cancel" in on_page(page, "report")
    for name in ("ask", "ping"):
        assert "Cancel" not in on_page(page, name)
    assert "Credit" not in page


def test_the_page_shows_controls_apart_from_messages() -> None:
    class RenamedConsumer(StreamConsumer):
        control_actions = {"cancel": "stop"}  # noqa: RUF012 - the documented way to write it

        @ws_handler(cancellable=True)
        async def report(self, message: Report) -> Token:
            return Token(payload="")

    document = document_of(RenamedConsumer)
    page = docs_page(document)

    assert document["operations"]["stop"]["x-control"] == "cancel"
    assert on_page(page, "stop").endswith("Frame stop For the answer to ask , report")
    assert on_page(page, "more").endswith("Frame more For the answer to ask")
    assert "Cancel stop" in on_page(page, "report")
    for name in ("stop", "more"):
        assert f'class="operation control" id="operation-{name}"' in page
    assert page.index("<h3>Clients send</h3>") < page.index("<h3>Controls</h3>")


def test_the_page_shows_requests_of_the_server() -> None:
    page = docs_page(document_of(ApproveConsumer))

    assert 'class="operation request" id="operation-approve"' in page
    assert on_page(page, "approve").endswith("Message approve Answer approved")
    assert "<h3>The server asks</h3>" in page


def test_the_page_has_the_actions_of_the_wire_first() -> None:
    class NamedConsumer(Consumer):
        @ws_handler
        async def handle_question(self, message: Ask) -> Token:
            return Token(payload="")

    page = docs_page(document_of(NamedConsumer))

    assert on_page(page, "handle_question").startswith("ask handle_question Message ask")
    assert re.search(r'href="#operation-handle_question">ask</a>', page)


# Comparing


def changes(
    before: type[Consumer] | dict[str, Any], after: type[Consumer] | dict[str, Any]
) -> list[Change]:
    """Compare two classes as if one had become the other."""

    def described(side: type[Consumer] | dict[str, Any]) -> dict[str, Any]:
        return side if isinstance(side, dict) else document_of(side)

    return compare_documents(described(before), described(after))


def breaking(found: list[Change]) -> set[tuple[str, str]]:
    return {(change.rule, change.direction) for change in found if change.breaking}


def without_extension(consumer: type[Consumer]) -> dict[str, Any]:
    document = document_of(consumer)
    for operation in document["operations"].values():
        operation.get("reply", {}).pop("x-answers", None)
    return document


@pytest.mark.parametrize("before", [AskConsumer, without_extension(AskConsumer)], ids=["one", "?"])
def test_a_stream_instead_of_one_message_breaks_clients(before: Any) -> None:
    found = changes(before, StreamConsumer)

    # A client that knows all properties of a strict message does not know `seq`.
    assert breaking(found) == {("answer-now-stream", "to-client"), ("property-added", "to-client")}
    (change,) = (change for change in found if change.rule == "answer-now-stream")
    assert change.place == "/operations/ask/reply/x-answers/mode"
    assert change.message == "The message 'ask' is now answered by a stream."


@pytest.mark.parametrize("after", [AskConsumer, without_extension(AskConsumer)], ids=["one", "?"])
def test_one_message_instead_of_a_stream_breaks_clients(after: Any) -> None:
    assert ("answer-no-stream", "to-client") in breaking(changes(StreamConsumer, after))


def test_a_new_item_of_a_stream_breaks_clients() -> None:
    found = changes(ToolEventConsumer, ToolConsumer)

    assert {change.rule for change in found if change.breaking} == {"stream-item-added"}
    assert {change.message for change in found if change.breaking} == {
        f"The stream that answers 'ask' has the new item '{item}', which clients do not know."
        for item in ("tool_call", "tool_result")
    }
    assert ("message-added", "to-client") in breaking(changes(StreamConsumer, ToolConsumer))
    assert "stream-item-added" not in {c.rule for c in changes(ToolConsumer, ToolEventConsumer)}


def test_a_removed_cancel_breaks_clients() -> None:
    class RenamedConsumer(ReportConsumer):
        control_actions = {"cancel": "stop"}  # noqa: RUF012 - the documented way to write it

    gone = {("message-removed", "to-server"), ("cancel-removed", "to-server")}

    assert breaking(changes(ReportConsumer, PlainReportConsumer)) == gone
    assert breaking(changes(PlainReportConsumer, ReportConsumer)) == set()
    assert breaking(changes(ReportConsumer, RenamedConsumer)) == {("message-removed", "to-server")}


def test_a_request_that_the_client_answers_travels_both_ways() -> None:
    class SilentConsumer(ApproveConsumer):
        requests = {}  # noqa: RUF012 - the documented way to write it

    added = {(change.rule, change.direction) for change in changes(SilentConsumer, ApproveConsumer)}
    removed = breaking(changes(ApproveConsumer, SilentConsumer))

    assert added == {("message-added", "to-client"), ("message-added", "to-server")}
    assert removed == {("message-removed", "to-client"), ("message-removed", "to-server")}


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        ("one", "many", True),
        ("many", "one", False),
        ("one", "none", True),
        ("none", "one", True),
    ],
)
def test_other_numbers_of_messages(before: str, after: str, breaks: bool) -> None:
    old, new = document_of(AskConsumer), document_of(AskConsumer)
    answers_of(old, "ask")["mode"] = before
    answers_of(new, "ask")["mode"] = after

    (change,) = compare_documents(old, new)

    assert (change.rule, change.breaking) == ("answer-mode", breaks)


def test_an_extension_that_is_not_ours_says_nothing() -> None:
    document = document_of(AskConsumer)
    document["operations"]["ask"]["reply"]["x-answers"] = "many, I hope"

    assert changes(AskConsumer, document) == changes(document, AskConsumer) == []
