"""Messages, their answers, and what is answered to what is none."""

import json
from math import inf, nan
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from chanx.core.decorators import ws_handler
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import ErrorMessage
from chanx.testing.socket import ConnectionClosedError
from chanx.type_defs import JSONObject
from chanx_conformance.consumers import Basic, Broadcaster, HookByHook, Overriding
from chanx_conformance.models import COMPLETE, PONG, ChatMessage, ChatPayload, FailMessage
from chanx_conformance.suite import Consumer, Suite

__all__ = ["MessageTests"]

# Frame, type and place of its error, whether the frame was a message at all (then a completion follows).
BAD_FRAMES: list[tuple[str, str, list[str], bool]] = [
    ("", "json_invalid", [], False),
    ("{bad", "json_invalid", [], False),
    ("nul", "json_invalid", [], False),
    ("\ufeff{}", "json_invalid", [], False),
    ("[]", "dict_type", [], False),
    ('[{"action":"ping"}]', "dict_type", [], False),
    ("7", "dict_type", [], False),
    ("null", "dict_type", [], False),
    ('"ping"', "dict_type", [], False),
    ("{}", "union_tag_not_found", [], True),
    ('{"action":"nope"}', "union_tag_invalid", [], True),
    ('{"action":[]}', "union_tag_invalid", [], True),
    ('{"action":{}}', "union_tag_invalid", [], True),
    ('{"action":5}', "union_tag_invalid", [], True),
    ('{"action":null}', "union_tag_invalid", [], True),
    ('{"action":""}', "union_tag_invalid", [], True),
    ('{"action":"chat"}', "missing", ["chat", "payload"], True),
    ('{"action":"chat","payload":3}', "dict_type", ["chat", "payload"], True),
    (
        '{"action":"chat","payload":{"user_name":7}}',
        "string_type",
        ["chat", "payload", "user_name"],
        True,
    ),
    ('{"action":"ping","ref":7}', "string_type", ["ref"], False),
    ('{"action":"ping","ref":"' + "x" * 65 + '"}', "string_too_long", ["ref"], False),
    ('{"action":"ping","version":2}', "literal_error", ["version"], False),
    ('{"action":"ping","version":"1"}', "literal_error", ["version"], False),
    ('{"action":"ping","x":NaN}', "json_invalid", [], False),
    ('{"action":"ping","x":-Infinity}', "json_invalid", [], False),
    ('{"action":"ping","x":1e999}', "json_invalid", [], False),
    ('{"action":"ping","x":"\\ud800"}', "json_invalid", [], False),
    ('{"action":"ping","x":' + "[" * 65 + "]" * 65 + "}", "too_deep", [], False),
    ('{"action":"ping","x":' + "[" * 5000 + "]" * 5000 + "}", "too_deep", [], False),
]


_DEEP, _DEEPER = ("[" * depth + "]" * depth for depth in (65, 5000))

# Refused before they are messages; the reference is "7".
READABLE_REFS = [
    '{"action":"ping","ref":"7","x":' + _DEEP + "}",
    '{"action":"ping","ref":"7","x":' + _DEEPER + "}",
    '{"action":"ping","x":' + _DEEPER + ',"ref" : "7"}',
    '{"y":{"ref":"1"},"ref":"7","x":' + _DEEPER + ',"z":[{"ref":"2"}]}',
    '{"y":"}]\\\\","z":"\\",\\"ref\\":\\"1","ref":"7","x":' + _DEEPER + "}",
    '{"ref":"\\u0037","x":' + _DEEPER + "}",
    '{"ref":"1","ref":"7","x":' + _DEEPER + "}",
    '{"action":"ping","x":NaN,"ref":"7"}',
    '{"action":"ping","x":-Infinity,"ref":"7"}',
    '{"action":"ping","x":1e999,"ref":"7"}',
    '{"action":"ping","x":"\\ud800","ref":"7"}',
]
UNREADABLE_REFS = [
    '{"action":"ping","ref":7,"x":' + _DEEPER + "}",
    '{"ref":"' + "x" * 65 + '","x":' + _DEEPER + "}",
    '{"ref":"\\ud800","x":' + _DEEPER + "}",
    '{"ref":"\\x","x":' + _DEEPER + "}",
    '{"x":' + _DEEPER + ',"y":{"ref":"7"}}',
    '{"x":' + _DEEPER + ',"y":"\\"ref\\":\\"7\\""}',
    '{"y":[' + '{"ref":"1"},' * 20 + '0],"ref":"7","x":' + _DEEPER + "}",
    '{"action":"ping","ref":"7"',
    '{"action":"ping","ref":"7"} {"ref":"8"}',
    '[{"action":"ping","ref":"7"}]',
]


class ErrorFrame(BaseModel):
    """An error frame."""

    payload: list[JSONObject]


class Reading(BaseModel, ser_json_inf_nan="constants"):
    """A number, by a model that asks pydantic for the constants of JavaScript."""

    last_value: float = inf
    details: Any = nan


class ReadingMessage(BaseMessage):
    """A number and whatever belongs to it."""

    action: Literal["reading"] = "reading"
    payload: Reading


READING = ReadingMessage(payload=Reading(details={"values": [nan, -inf, 1.5, "NaN"]}))
WRITTEN: JSONObject = {"last_value": None, "details": {"values": [None, None, 1.5, "NaN"]}}


class MeasureMessage(BaseMessage):
    """Asks for a reading, sent in one of several ways."""

    action: Literal["measure"] = "measure"
    payload: str


class Instrument(Basic):
    """Sends numbers that JSON does not have."""

    @ws_handler(output_type=ReadingMessage)
    async def measure(self, message: MeasureMessage) -> ReadingMessage | None:
        """Send one in the way that the client asks for."""
        content = READING.model_dump()
        match message.payload:
            case "send_json":
                await self.send_json(content)
            case "encode_json":
                await self.send(text_data=await self.encode_json(content))
            case "error":
                await self.send_message(ErrorMessage(payload=content["payload"]))
            case "broadcast":
                await self.broadcast_message(READING)
            case _:
                return READING
        return None


class OverridingInstrument(HookByHook, Instrument):
    """Does so with hooks on the way."""


def parsed(text: str) -> Any:
    """Parse a frame as strictly as a browser."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    return json.loads(text, parse_constant=refuse)


class MessageTests(Suite):
    """Messages, their answers, and what is answered to what is none."""

    async def test_message_is_routed_and_answered(self) -> None:
        """A message reaches the handler of its action; what that returns is sent back."""
        async with self.connect() as ws:
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    @pytest.mark.parametrize("camelize", [False, True])
    @pytest.mark.parametrize("handlers", [Instrument, OverridingInstrument])
    @pytest.mark.parametrize("way", ["return", "send_json", "encode_json", "error", "broadcast"])
    async def test_no_frame_holds_nan(self, way: str, handlers: Consumer, camelize: bool) -> None:
        """NaN and the infinities are written as null, in whatever way a message is sent."""
        async with self.connect(handlers, camelize=camelize) as ws:
            await ws.send_message(MeasureMessage(payload=way))
            payload = parsed(await ws.receive_from())["payload"]
            written = {**WRITTEN}
            if camelize and way != "error":
                written["lastValue"] = written.pop("last_value")
            assert payload == written

    async def test_completion_follows_every_message(self) -> None:
        """With completion on, the end of handling is told, after errors as well."""
        async with self.connect(send_completion=True) as ws:
            await ws.send_message(PingMessage())
            assert [await ws.receive_json_from() for _ in range(2)] == [PONG, COMPLETE]
            await ws.send_message(FailMessage(payload="x"))
            assert [(await ws.receive_json_from())["action"] for _ in range(2)] == [
                "error",
                "complete",
            ]

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize("completion", [False, True])
    async def test_ref_is_answered_by_exactly_one_terminal_frame(
        self, handlers: Consumer, completion: bool
    ) -> None:
        """Answer, error and empty answer: one frame under the reference says that it is over."""
        async with self.connect(handlers, send_completion=completion) as ws:
            await ws.send_message(PingMessage(), ref="7")
            assert await ws.receive_json_from() == {**PONG, "version": 1, "ref": "7"}
            if completion:
                assert await ws.receive_json_from() == {**COMPLETE, "version": 1, "ref": "7"}
            await ws.send_to(text_data='{"action":"nope","ref":"8"}')
            frame = await ws.receive_json_from()
            assert (frame["action"], frame["ref"]) == ("error", "8")
            if completion:
                assert await ws.receive_json_from() == COMPLETE
            await ws.send_message(FailMessage(payload="x"), ref="9")
            frame = await ws.receive_json_from()
            assert (frame["action"], frame["ref"]) == ("error", "9")

    async def test_silent_handler_completes_a_ref(self) -> None:
        """A handler that returns nothing is answered by `complete` where the client gave a reference."""
        async with self.connect(Broadcaster) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="quiet")), ref="1")
            assert await ws.receive_json_from() == {**COMPLETE, "version": 1, "ref": "1"}

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize(("frame", "kind", "loc", "is_message"), BAD_FRAMES)
    async def test_bad_frame_gets_one_error(
        self, handlers: Consumer, frame: str, kind: str, loc: list[str], is_message: bool
    ) -> None:
        """A bad frame is answered by one error frame that echoes nothing, and the connection goes on."""
        async with self.connect(handlers, send_completion=True) as ws:
            await ws.send_to(text_data=frame)
            error = await ws.receive_json_from()
            assert error["action"] == "error"
            assert [(item["type"], item["loc"]) for item in error["payload"]] == [(kind, loc)]
            assert "nope" not in str(error)
            if is_message:
                assert await ws.receive_json_from() == COMPLETE
            await ws.send_message(PingMessage())
            assert [await ws.receive_json_from() for _ in range(2)] == [PONG, COMPLETE]

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize("frame", READABLE_REFS)
    async def test_refused_frame_is_answered_under_its_ref(
        self, handlers: Consumer, frame: str
    ) -> None:
        """Where it can be read without parsing the frame."""
        async with self.connect(handlers) as ws:
            await ws.send_to(text_data=frame)
            error = await ws.receive_json_from()
            assert (error["action"], error.get("ref"), error.get("version")) == ("error", "7", 1)

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    @pytest.mark.parametrize("frame", UNREADABLE_REFS)
    async def test_refused_frame_without_a_readable_ref(
        self, handlers: Consumer, frame: str
    ) -> None:
        """Is answered without one, and the next message is handled."""
        async with self.connect(handlers) as ws:
            await ws.send_to(text_data=frame)
            error = await ws.receive_json_from()
            assert error["action"] == "error"
            assert "ref" not in error
            await ws.send_message(PingMessage(), ref="8")
            assert await ws.receive_json_from() == {**PONG, "version": 1, "ref": "8"}

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_ref_of_a_messages_own_is_no_reference(self, handlers: Consumer) -> None:
        """A frame that is too deep could be a message that declares the key."""

        class NumberedMessage(BaseMessage):
            action: Literal["numbered"] = "numbered"
            payload: None = None
            ref: str

        class Numbered(handlers):  # type: ignore[misc, valid-type]
            @ws_handler
            async def numbered(self, message: NumberedMessage) -> None:
                """Take it."""

        async with self.connect(Numbered) as ws:
            await ws.send_to(text_data=READABLE_REFS[0])
            assert "ref" not in await ws.receive_json_from()

    @pytest.mark.parametrize("handlers", [Basic, Overriding])
    async def test_binary_frame_gets_one_error(self, handlers: Consumer) -> None:
        """Binary frames are refused like what is not JSON."""
        async with self.connect(handlers) as ws:
            await ws.send_to(bytes_data=b"\x00\xff")
            error = await ws.receive_json_from()
            assert [item["type"] for item in error["payload"]] == ["json_invalid"]
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_many_errors_are_bounded(self) -> None:
        """An error frame lists ten errors at most, in 4 KiB at most."""

        class ManyMessage(BaseMessage):
            action: Literal["many"] = "many"
            payload: list[int]

        class Many(Basic):
            @ws_handler
            async def many(self, message: ManyMessage) -> None:
                """Take numbers."""

        more: list[JSONObject] = [{"type": "too_many_errors", "loc": [], "msg": "190 more errors"}]
        async with self.connect(Many) as ws:
            # A large message is checked up to the first invalid item of each list.
            for number, described in ((200, 10), (5000, 1)):
                values = ",".join(['"x"'] * number)
                await ws.send_to(text_data=f'{{"action":"many","payload":[{values}]}}')
                text = await ws.receive_from()
                assert len(text) <= 4096
                payload = ErrorFrame.model_validate_json(text).payload
                places = [item["loc"] for item in payload[:described]]
                assert places == [["many", "payload", index] for index in range(described)]
                assert payload[described:] == (more if number == 200 else [])

    async def test_client_keys_are_not_echoed(self) -> None:
        """A location ends before the first key that the client chose."""

        class KeysMessage(BaseMessage):
            action: Literal["keys"] = "keys"
            payload: dict[str, int]

        class Keys(Basic):
            @ws_handler
            async def keys(self, message: KeysMessage) -> None:
                """Take numbers by name."""

        async with self.connect(Keys) as ws:
            await ws.send_to(text_data='{"action":"keys","payload":{"<script>":"x"}}')
            error = await ws.receive_json_from()
            assert error["payload"][0]["loc"] == ["keys", "payload"]

    @pytest.mark.parametrize("way", ["boom", "cancelled", "dict", "unserialisable"])
    async def test_handler_failure_tells_no_secret(self, way: str) -> None:
        """Whatever goes wrong in a handler, the client gets one error without its text, and goes on."""
        async with self.connect() as ws:
            await ws.send_message(FailMessage(payload=way), ref="1")
            text = await ws.receive_from()
            assert "secret" not in text
            assert '"detail":"Failed to process message for fail"' in text
            await ws.send_message(PingMessage())
            assert await ws.receive_json_from() == PONG

    async def test_too_large_frame_closes(self) -> None:
        """A frame over the limit closes with 1009."""
        async with self.connect(max_message_bytes=100) as ws:
            await ws.send_to(text_data=" " * 101)
            with pytest.raises(ConnectionClosedError) as closed:
                await ws.receive_from()
            assert closed.value.code == 1009
