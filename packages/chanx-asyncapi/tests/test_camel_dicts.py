"""`camelize_dicts`: what the document says of keys, and what really travels."""

import json
from collections import Counter, OrderedDict
from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from jsonschema import Draft7Validator
from pydantic import BaseModel, ConfigDict, JsonValue, StringConstraints
from pydantic_core import core_schema
from typing_extensions import TypedDict

from chanx.asyncapi import ConsumerRoute, DocumentOptions, generate_document
from chanx.core.codec import Codec, WireFormat
from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage


class Level(Enum):
    VERY_HIGH = "very_high"
    low_one = "lowOne"


class Loose(BaseModel):
    """Keeps what it does not know."""

    model_config = ConfigDict(extra="allow")

    known_field: int = 0


class Typed(TypedDict):
    """Keeps what it does not know."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc] # pyright: ignore[reportGeneralTypeIssues] # pydantic reads it

    known_field: int


class Keys(BaseModel):
    free: dict[str, Any] = {"is_mine": [{"row_id": 1}]}
    literal: dict[Literal["is_mine", "other"], int]
    single: dict[Literal["only_one"], int]
    by_level: dict[Level, int]
    second: dict[Level, int]
    patterned: dict[Annotated[str, StringConstraints(pattern="^[a-z_]+$")], int]
    value: JsonValue
    bare: dict  # type: ignore[type-arg] # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType] # the point
    rows: list  # type: ignore[type-arg] # pyright: ignore[reportMissingTypeArgument, reportUnknownVariableType] # the point
    loose: Loose
    typed: Typed
    by_number: dict[int, Any]
    counted: Counter[str]
    ordered: OrderedDict[str, Any]
    anything: Any


class KeysMessage(BaseMessage):
    action: Literal["keys"] = "keys"
    payload: Keys


class KeysConsumer(ChanxWebsocketConsumerMixin[Any]):
    camelize = True
    camelize_dicts = True

    @ws_handler
    async def keys(self, message: KeysMessage) -> KeysMessage:
        return message


MESSAGE = KeysMessage.model_validate(
    {
        "payload": {
            "literal": {"is_mine": 1},
            "single": {"only_one": 1},
            "by_level": {"very_high": 1, "lowOne": 2},
            "second": {"very_high": 1},
            "patterned": {"a_b": 1},
            "value": {"is_mine": [{"row_id": 'a "b_c": {"d_e":1}'}]},
            "bare": {"is_mine": {"row_id": 1}},
            "rows": [{"row_id": 1}],
            "loose": {"known_field": 1, "extra_field": {"row_id": 2}},
            "typed": {"known_field": 1, "extra_field": {"row_id": 2}},
            "by_number": {"1": {"row_id": 1}},
            "counted": {"is_mine": 2},
            "ordered": {"is_mine": {"row_id": 1}},
            "anything": [{"row_id": 1, "3f_2A": 2, "SKU_1": 3, "a b_c": 4}],
        }
    }
)
WIRE = {
    "free": {"isMine": [{"rowId": 1}]},
    "literal": {"isMine": 1},
    "single": {"onlyOne": 1},
    "byLevel": {"veryHigh": 1, "lowOne": 2},
    "second": {"veryHigh": 1},
    "patterned": {"aB": 1},
    "value": {"isMine": [{"rowId": 'a "b_c": {"d_e":1}'}]},
    "bare": {"isMine": {"rowId": 1}},
    "rows": [{"rowId": 1}],
    "loose": {"knownField": 1, "extraField": {"rowId": 2}},
    "typed": {"knownField": 1, "extraField": {"rowId": 2}},
    "byNumber": {"1": {"rowId": 1}},
    "counted": {"isMine": 2},
    "ordered": {"isMine": {"rowId": 1}},
    "anything": [{"rowId": 1, "3f_2A": 2, "SKU_1": 3, "a b_c": 4}],
}


@pytest.fixture(scope="module")
def codec() -> Codec:
    return KeysConsumer.spec.codec(KeysConsumer.spec.wire_format)


def test_keys_travel_in_camel_case(codec: Codec) -> None:
    """Names are translated; keys that are no names, and text, stay as they are."""
    assert json.loads(codec.encode(MESSAGE))["payload"] == WIRE


def test_keys_arrive_in_snake_case(codec: Codec) -> None:
    """Every key gets its Python name, and names of fields that were given are known."""
    message, _ = codec.decode(json.dumps({"action": "keys", "payload": WIRE}))
    assert message == MESSAGE
    assert message.payload.loose.model_fields_set == {"known_field", "extra_field"}


def test_extra_fields_may_be_missing(codec: Codec) -> None:
    wire = {**WIRE, "loose": {"knownField": 1}, "typed": {"knownField": 1}}

    message, _ = codec.decode(json.dumps({"action": "keys", "payload": wire}))

    assert message.payload.loose.model_dump() == {"known_field": 1}
    assert message.payload.typed == {"known_field": 1}


class Rows:
    """A list, and a dictionary, whose schemas are written by hand and say nothing of what is in them."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> core_schema.CoreSchema:
        keyed = core_schema.typed_dict_schema({}, extra_behavior="allow")
        return core_schema.union_schema([core_schema.list_schema(), keyed])


def test_schemas_written_by_hand_are_translated() -> None:
    class RowsMessage(BaseMessage):
        action: Literal["rows"] = "rows"
        payload: Annotated[Any, Rows]

    wire = WireFormat(camelize=True, camelize_dicts=True)
    codec = Codec((RowsMessage,), (), wire, max_depth=9)
    for payload, read in (
        ([{"rowId": 1}], [{"row_id": 1}]),
        ({"rowId": {"isMine": 1}}, {"row_id": {"is_mine": 1}}),
    ):
        message, _ = codec.decode(json.dumps({"action": "rows", "payload": payload}))
        assert message.payload == read


def test_python_names_are_read_too(codec: Codec) -> None:
    """As with fields of models, clients may write either spelling."""
    content = MESSAGE.model_dump(mode="json")
    content["payload"]["typed"] = WIRE["typed"]
    message, _ = codec.decode(json.dumps(content))
    assert message == MESSAGE


def test_the_document_has_the_keys_as_they_travel(codec: Codec) -> None:
    document = generate_document([ConsumerRoute("/ws", (), KeysConsumer)])
    frame = json.loads(codec.encode(MESSAGE))
    schemas = document["components"]["schemas"]
    names = [name for name in schemas if name.startswith("KeysMessage")]
    assert names
    for name in names:
        validator: Any = Draft7Validator({**schemas[name], **document})
        validator.validate(frame)
    keys: dict[str, Any] = next(schemas[name] for name in schemas if name.startswith("Keys-"))
    properties = keys["properties"]
    assert properties["free"]["default"] == {"isMine": [{"rowId": 1}]}
    assert properties["literal"]["propertyNames"] == {"enum": ["isMine", "other"]}
    assert properties["single"]["propertyNames"] == {"enum": ["onlyOne"]}
    assert properties["byLevel"]["propertyNames"] == {"enum": ["veryHigh", "lowOne"]}
    assert properties["patterned"]["additionalProperties"] == {"type": "integer"}


def test_a_document_can_ask_for_it() -> None:
    """And consumers that differ have schemas of their own; without `camelize` it changes nothing."""

    class Fields(KeysConsumer):
        camelize_dicts = False

    class Plain(KeysConsumer):
        camelize = False

    class PlainToo(KeysConsumer):
        camelize, camelize_dicts = False, False

    def schemas(*consumers: Any, **options: Any) -> list[str]:
        routes = [ConsumerRoute(f"/{item.__name__}", (), item) for item in consumers]
        document = generate_document(routes, DocumentOptions(**options))
        return [name for name in document["components"]["schemas"] if name.startswith("Typed")]

    assert len(schemas(Fields, KeysConsumer)) == 2
    assert len(schemas(Fields, KeysConsumer, camelize_dicts=True)) == 1
    assert len(schemas(Plain, PlainToo)) == 1
