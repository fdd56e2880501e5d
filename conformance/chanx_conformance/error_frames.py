"""Frames that are no messages, and the exact answer to each: `error_frames.json`.

`python -m chanx_conformance.error_frames` writes the file again. Look at what that changes before you keep it, because
clients rely on these answers.
"""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, cast

import pytest
from pydantic import BaseModel

from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.testing.socket import WebsocketConnection, text_of
from chanx.type_defs import ASGIEvent, JSONObject
from chanx_conformance.consumers import HookByHook
from chanx_conformance.suite import Consumer, Suite

__all__ = ["ErrorFrameTests"]

# Answers of one kind of consumer by the name of the frame, by kind.
Answers = dict[str, dict[str, list[JSONObject]]]

_FILE = Path(__file__).with_name("error_frames.json")
_MARK = "zzz-of-the-client"
_MAX_BYTES = 4096


class Article(BaseModel):
    """Something with fields of several kinds."""

    item_name: str = ""
    unit_price: float = 0
    pieces: int = 0
    extra_data: dict[str, Any] = {}


class OrderMessage(BaseMessage):
    """A message that is taken without an answer."""

    action: Literal["order"] = "order"
    payload: list[Article]


class AnyMessage(BaseMessage):
    """A message that may contain anything."""

    action: Literal["anything"] = "anything"
    payload: Any


class Silent(ChanxWebsocketConsumerMixin[Any]):
    """Has no handlers."""

    log_websocket_message = False
    max_message_bytes: int | None = None  # how deep and long a frame may be is the subject here


class Single(Silent):
    """Has one handler."""

    @ws_handler
    async def ping(self, message: PingMessage) -> PongMessage:
        """Answer."""
        return PongMessage()


class Several(Single):
    """Has several handlers."""

    @ws_handler
    async def order(self, message: OrderMessage) -> None:
        """Take it."""

    @ws_handler
    async def anything(self, message: AnyMessage) -> None:
        """Take it."""


class CamelCase(Several):
    """Reads camel case."""

    camelize = True


class Kinds(Several):
    """Reads the action from another key."""

    discriminator_field = "kind"


class HookByHookAndLog(HookByHook):
    """Logs messages as well."""

    log_websocket_message = True


_KINDS: dict[str, type[Silent]] = {
    "without handlers": Silent,
    "one handler": Single,
    "several handlers": Several,
    "camel case": CamelCase,
    "another key": Kinds,
}


def _no_objects() -> Iterator[tuple[str, ASGIEvent]]:
    texts = {
        "an integer": "7",
        "a float": "1.5",
        "a string": f'"{_MARK}"',
        "true": "true",
        "null": "null",
        "an array": "[]",
        "an array of a message": '[{"action": "ping"}]',
        "an empty object": "{}",
        "nothing": "",
        "white space": " \r\n\t",
        "a byte order mark": "\ufeff{}",
        "half an object": "{" + _MARK,
        "half a word": "nul",
        "two objects": '{"action": "ping"} {}',
    }
    yield from ((name, {"text": text}) for name, text in texts.items())
    yield "binary", {"bytes": b"\x00\xff"}
    yield "binary JSON", {"bytes": b'{"action": "ping"}'}
    yield "empty binary", {"bytes": b""}
    yield "neither text nor bytes", {}
    yield "null for text and bytes", {"text": None, "bytes": None}


def _deep() -> Iterator[tuple[str, ASGIEvent]]:
    for depth in (65, 200, 900, 5_000, 100_000):
        lists = "[" * depth + "]" * depth
        yield f"{depth} lists", {"text": '{"action": "anything", "payload": ' + lists + "}"}
        objects = '{"a": ' * depth + "1" + "}" * depth
        yield f"{depth} objects", {"text": '{"action": "anything", "payload": ' + objects + "}"}


def _numbers() -> Iterator[tuple[str, ASGIEvent]]:
    places = {
        "a float": '{"action": "order", "payload": [{"unit_price": %s}]}',
        "an integer": '{"action": "order", "payload": [{"pieces": %s}]}',
        "a dictionary": '{"action": "order", "payload": [{"extra_data": {"x": %s}}]}',
        "anything": '{"action": "anything", "payload": %s}',
        "an unknown key": '{"action": "ping", "x": %s}',
    }
    numbers = {word: word for word in ("NaN", "Infinity", "-Infinity", "1e999", "-1e999")}
    numbers |= {"400 digits": "9" * 400, "5000 digits": "9" * 5000}
    for name, number in numbers.items():
        for place, text in places.items():
            yield f"{name} in {place}", {"text": text % number}
    for word in ("nan", "-Infinity", "1e999"):
        yield f"the text {word} in a float", {"text": places["a float"] % f'"{word}"'}


def _texts() -> Iterator[tuple[str, ASGIEvent]]:
    texts = {
        "an action": '{"action": "%s"}',
        "a field": '{"action": "order", "payload": [{"item_name": "%s"}]}',
        "a key": '{"action": "order", "payload": [{"extra_data": {"%s": 1}}]}',
        "a reference": '{"action": "ping", "ref": "%s"}',
    }
    for place, text in texts.items():
        yield f"half a surrogate pair in {place}", {"text": text % "\\ud800"}
        yield f"half a surrogate pair, not escaped, in {place}", {"text": text % "\ud800"}
    yield "twice the same key", {"text": '{"action": "ping", "x": 1, "x": 2}'}
    yield (
        "twice the same field",
        {"text": '{"action":"order","payload":[{"pieces":"a","pieces":1}]}'},
    )
    yield "two wrong payloads", {"text": '{"action": "order", "payload": 7, "payload": 7}'}
    yield "two actions", {"text": '{"action": "ping", "action": "' + _MARK + '"}'}


def _actions() -> Iterator[tuple[str, ASGIEvent]]:
    values: dict[str, Any] = {
        "an integer": 5,
        "a float": 1.5,
        "true": True,
        "null": None,
        "a list": [],
        "a list of an action": ["ping"],
        "an object": {},
        "an empty string": "",
        "an unknown word": _MARK,
        "a megabyte": _MARK * (2**20 // len(_MARK)),
    }
    for name, value in values.items():
        for key in ("action", "kind"):
            yield f"{name} as {key}", {"text": json.dumps({key: value, "payload": None})}
    yield "no action", {"text": '{"payload": null}'}


def _messages() -> Iterator[tuple[str, ASGIEvent]]:
    messages: dict[str, JSONObject] = {
        "no payload": {"action": "order"},
        "null for a payload": {"action": "order", "payload": None},
        "another payload": {"action": "order", "payload": {_MARK: 1}},
        "wrong fields": {"action": "order", "payload": [{"pieces": _MARK, "unit_price": []}, 7]},
        "a payload too much": {"action": "ping", "payload": _MARK},
        "a key too much": {"action": "ping", _MARK: 1},
        "keys of JavaScript and Python": {"action": "ping", "__proto__": {}, "__class__": _MARK},
        "keys of both as the payload": {"action": "order", "payload": {"__proto__": 1}},
        "many errors": {"action": "order", "payload": [_MARK] * 5000},
        "two spellings": {"action": "order", "payload": [{"itemName": "a", "item_name": "b"}]},
    }
    yield from ((name, {"text": json.dumps(message)}) for name, message in messages.items())


def _envelopes() -> Iterator[tuple[str, ASGIEvent]]:
    references: dict[str, Any] = {
        "64 characters": "x" * 64,
        "65 characters": "x" * 65,
        "an empty one": "",
        "an integer": 7,
        "a list": [_MARK],
        "a megabyte": _MARK * (2**20 // len(_MARK)),
    }
    for name, ref in references.items():
        yield f"a reference: {name}", {"text": json.dumps({"action": "ping", "ref": ref})}
    for version in (0, 1, 2, 999, "1", None, True, 1.0):
        text = json.dumps({"action": "ping", "version": version, "ref": "1"})
        yield f"version {version!r}", {"text": text}
    unknown = json.dumps({"action": _MARK, "ref": "1"})
    yield "an unknown word under a reference", {"text": unknown}


_GROUPS = (_no_objects, _deep, _numbers, _texts, _actions, _messages, _envelopes)
_FRAMES = {name: event for group in _GROUPS for name, event in group()}


async def _answers(consumer: Any, frames: JSONObject) -> dict[str, list[JSONObject]]:
    """Send each frame on one connection, and a ping behind it; return the answers to each."""
    connection = WebsocketConnection(consumer.as_asgi(), "/")
    async with connection as ws:
        return {name: await _answers_to(ws, event) for name, event in frames.items()}


async def _answers_to(ws: WebsocketConnection, event: ASGIEvent) -> list[JSONObject]:
    await ws.send_input({"type": "websocket.receive", **event})
    await ws.send_to(text_data='{"action": "ping", "ref": "behind it"}')
    answers: list[JSONObject] = []
    while True:
        text = text_of(await ws.receive_output(timeout=5))
        assert len(text.encode()) <= _MAX_BYTES
        assert _MARK not in text
        answer: JSONObject = json.loads(text)
        if answer.get("ref") == "behind it":
            return answers
        answers.append(answer)


def _consumer(kind: str, *bases: type) -> Consumer:
    """Put the handlers of a kind of consumer onto base classes."""
    handlers = _KINDS[kind]
    return cast(Consumer, type(handlers.__name__, (*bases[:-1], handlers, bases[-1]), {}))


def _expected() -> Answers:
    answers: Answers = json.loads(_FILE.read_text(encoding="utf-8"))
    return answers


class ErrorFrameTests(Suite):
    """Each frame gets the answer that is written in the file, and the next one is handled."""

    @pytest.mark.parametrize("hooks", [(), (HookByHookAndLog,)], ids=["directly", "hook by hook"])
    @pytest.mark.parametrize("kind", _KINDS)
    async def test_answers_are_those_of_the_file(self, kind: str, hooks: tuple[type, ...]) -> None:
        """Exactly these frames, within 4 KiB each, with nothing of what the client sent in them."""
        consumer = _consumer(kind, *hooks, self.base)
        assert await _answers(consumer, _FRAMES) == _expected()[kind]


class _Bare(ChanxWebsocketConsumerMixin[Any]):
    """No integration at all."""

    @classmethod
    def as_asgi(cls) -> Any:
        """Return an application of its own."""

        async def application(scope: Any, receive: Any, send: Any) -> None:
            await cls()(scope, receive, send)

        return application


async def _collected() -> Answers:
    return {kind: await _answers(_consumer(kind, _Bare), _FRAMES) for kind in _KINDS}


def _written(answers: Answers) -> str:
    """Write one line for each frame."""
    kinds = (
        f"{json.dumps(kind)}: {{\n" + ",\n".join(map(_line, frames.items())) + "\n}"
        for kind, frames in answers.items()
    )
    return "{\n" + ",\n".join(kinds) + "\n}\n"


def _line(frame: tuple[str, list[JSONObject]]) -> str:
    name, answers = frame
    return f"{json.dumps(name)}: {json.dumps(answers)}"


if __name__ == "__main__":
    _FILE.write_text(_written(asyncio.run(_collected())), encoding="utf-8")
