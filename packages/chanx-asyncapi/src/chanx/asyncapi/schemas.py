"""JSON schemas of the messages of one document.

pydantic writes them and names them: `Item` where that is one schema, more of the class's path where it is not, and
`-Input` / `-Output` where a class is read differently from how it is written.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NamedTuple, cast

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, JsonSchemaValue
from pydantic_core import CoreSchema, PydanticSerializationError, core_schema

from chanx.asyncapi.draft7 import to_draft7
from chanx.asyncapi.envelope import Envelope, TopicKey, with_envelope
from chanx.asyncapi.naming import legal_name
from chanx.asyncapi.pairs import plain_names, with_plain_names
from chanx.core.codec import WireFormat, camel_key, camel_tree, on_the_wire
from chanx.messages.base import BaseMessage
from chanx.type_defs import JSONObject

__all__ = ["MessageSchemas", "MessageUse", "collect_schemas"]


class MessageUse(NamedTuple):
    """A message type in one direction (`validation`: received, `serialization`: sent) and spelling."""

    message_type: type[BaseMessage]
    mode: JsonSchemaMode
    wire: WireFormat
    envelope: Envelope = Envelope()

    @property
    def key(self) -> "_UseKey":
        """What has a schema: the messages of each topic name it in their own way."""
        return self.message_type, self.mode, self.wire, self.envelope.topic


_UseKey = tuple[type[BaseMessage], JsonSchemaMode, WireFormat, TopicKey | None]


@dataclass(slots=True)
class MessageSchemas:
    """Schemas by component name, and the name of each message's."""

    definitions: dict[str, JSONObject] = field(default_factory=dict[str, JSONObject])
    _names: dict[_UseKey, str] = field(default_factory=dict[_UseKey, str])

    def name_of(self, use: MessageUse) -> str:
        """Return the component name of a message's schema."""
        return self._names[use.key]

    def add(self, uses: Sequence[MessageUse], wire: WireFormat, suffix: str) -> None:
        """Write the schemas of messages that share a wire format."""
        generator = _Generator(wire, f"#/components/schemas/{{model}}{suffix}")
        inputs: list[tuple[type[BaseMessage], JsonSchemaMode, CoreSchema]] = [
            (use.message_type, use.mode, _core_schema(use)) for use in uses
        ]
        references, definitions = generator.generate_definitions(inputs)
        for name, schema in definitions.items():
            self.definitions[f"{name}{suffix}"] = to_draft7(schema)
        for use in uses:
            reference = references[use.message_type, use.mode]
            self._names[use.key] = self._named(reference, use, suffix)

    def _named(self, schema: JsonSchemaValue, use: MessageUse, suffix: str) -> str:
        if schema.keys() == {"$ref"}:
            return cast(str, schema["$ref"]).rpartition("/")[2]
        name = f"{use.message_type.__qualname__}-{use.mode}{suffix}"  # its own hook wrote something else
        self.definitions[name] = to_draft7(schema)
        return name

    def keep_topics_apart(self, uses: Iterable[MessageUse]) -> None:
        """Give a message of several topics a schema for each. Without a topic, or else first, it has the plain name."""
        owners: dict[str, TopicKey | None] = {}
        for use in sorted(uses, key=lambda use: use.envelope.topic is not None):
            plain, topic = self._names[use.key], use.envelope.topic
            names = _names_for(plain, topic)
            name = next(name for name in names if owners.setdefault(name, topic) == topic)
            self.definitions[name] = self.definitions[plain]
            self._names[use.key] = name

    def put_in_envelopes(self, uses: Iterable[MessageUse]) -> None:
        """Add to each message what may travel beside its own fields."""
        for use in uses:
            name = self.name_of(use)
            declared = self.definitions[name]
            self.definitions[name] = with_envelope(declared, use.envelope, use.wire)

    def merge_equal(self) -> None:
        """Keep one schema, under the plain name, where both directions of a model are equal."""
        names = plain_names(self.definitions)
        if not names:
            return
        self.definitions = {
            names.get(name, name): with_plain_names(schema, names)
            for name, schema in self.definitions.items()
        }
        self._names = {use: names.get(name, name) for use, name in self._names.items()}


def collect_schemas(uses: Iterable[MessageUse]) -> MessageSchemas:
    """Write the schemas of the given messages and of everything they hold."""
    schemas = MessageSchemas()
    unique = list(dict.fromkeys(uses))
    by_wire: defaultdict[WireFormat, list[MessageUse]] = defaultdict(list)
    for use in unique:
        by_wire[use.wire].append(use)
    for suffix, wire in _suffixes(by_wire):
        schemas.add(by_wire[wire], wire, suffix)
    schemas.keep_topics_apart(unique)
    schemas.put_in_envelopes(unique)
    schemas.merge_equal()
    schemas.definitions = dict(sorted(schemas.definitions.items()))
    return schemas


def _names_for(plain: str, topic: TopicKey | None) -> Iterator[str]:
    yield plain
    if topic is not None:
        yield f"{plain}.{topic.name}"
        yield from (f"{plain}.{topic.name}.{number}" for number in count(2))


def _suffixes(wires: Iterable[WireFormat]) -> Iterable[tuple[str, WireFormat]]:
    """Tell apart the schemas of consumers that spell differently; the plainest spelling needs no mark."""
    ordered = sorted(
        wires,
        key=lambda wire: (
            wire.camelize,
            wire.translates_dicts,
            wire.discriminator_field != "action",
            wire.discriminator_field,
        ),
    )
    for number, wire in enumerate(ordered):
        marks = [f"{number}"] if number > 1 else []
        marks += ["camel"] if wire.camelize else []
        marks += ["dicts"] if wire.translates_dicts else []
        marks += (
            [legal_name(wire.discriminator_field)] if wire.discriminator_field != "action" else []
        )
        yield ("." + ".".join(marks) if number else ""), wire


def _core_schema(use: MessageUse) -> CoreSchema:
    schema = TypeAdapter(use.message_type).core_schema
    return schema if use.wire.is_plain else cast(CoreSchema, on_the_wire(schema, use.wire))


class _Generator(GenerateJsonSchema):
    """Writes what really travels, where pydantic's own answer is about one model alone."""

    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as the base class has it

    def __init__(self, wire: WireFormat, ref_template: str) -> None:
        super().__init__(ref_template=ref_template)
        self._wire = wire

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave out titles that only repeat a field's name."""
        return False

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Sent messages hold their defaults too."""
        if self.mode == "serialization" and field["type"] != "typed-dict-field":
            return field.get("serialization_exclude_if") is None
        return super().field_is_required(field, total)

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Name the fields as they travel."""
        return self._spelled(schema, super().model_schema)

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """Name the fields as they travel."""
        return self._spelled(schema, super().dataclass_schema)

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> JsonSchemaValue:
        """Name the keys as they travel."""
        return self._spelled(schema, super().typed_dict_schema)

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        """Describe keys as JSON has them: as text, whatever they are in Python."""
        written = super().dict_schema(schema)
        if "propertyNames" in written:
            names = self._keys_as_text(written.pop("propertyNames"))
            if self._wire.translates_dicts:
                names = self._camel_keys(names)
            written |= {"propertyNames": names} if names else {}
        if self._wire.translates_dicts and "patternProperties" in written:
            # The pattern is that of the keys in Python.
            (written["additionalProperties"],) = written.pop("patternProperties").values()
        return written

    def _keys_as_text(self, names: JsonSchemaValue) -> JsonSchemaValue:
        found = self.get_schema_from_definitions(names["$ref"]) if "$ref" in names else names
        if found is None or found.get("type") == "string":
            return names
        values = _listed(found)
        return (
            {"enum": [v if isinstance(v, str) else json.dumps(v) for v in values]} if values else {}
        )

    def _camel_keys(self, names: JsonSchemaValue) -> JsonSchemaValue:
        """Spell keys that are listed; anything else that is said of keys is about their spelling in Python."""
        found = self.get_schema_from_definitions(names["$ref"]) if "$ref" in names else names
        values = _listed(found or {})
        return {"enum": [camel_key(value) for value in values]} if values else {}

    # Any: core schemas of three kinds.
    def _spelled(self, schema: Any, write: Callable[[Any], JsonSchemaValue]) -> JsonSchemaValue:
        """Use aliases where reading or writing does: writing does not, unless the wire format or the class says so."""
        before = self.by_alias
        own = bool(schema.get("config", {}).get("serialize_by_alias"))
        self.by_alias = self.mode == "validation" or not self._wire.is_plain or own
        try:
            return write(schema)
        finally:
            self.by_alias = before

    def encode_default(self, dft: Any) -> Any:
        """Write a default the same way on every run, and leave out what JSON cannot hold."""
        if dft is None or type(dft) in (str, bool, int):
            return dft  # most are: the rest costs a serializer for each
        if not self._wire.is_plain and isinstance(dft, BaseModel):
            raise PydanticSerializationError("its fields are spelled differently on the wire")
        encoded = super().encode_default(_with_lists(dft))
        try:
            json.dumps(encoded, allow_nan=False)
        except (TypeError, ValueError) as error:
            raise PydanticSerializationError(str(error)) from error
        return camel_tree(encoded) if self._wire.translates_dicts else encoded

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        """Document what JSON Schema has no words for as anything."""
        return {}


def _listed(schema: JsonSchemaValue) -> list[Any]:
    return [schema["const"]] if "const" in schema else list(schema.get("enum", ()))


def _with_lists(value: Any) -> Any:
    """Give sets an order."""
    if isinstance(value, set | frozenset):
        items = [_with_lists(item) for item in cast("set[Any]", value)]
        return sorted(items, key=lambda item: (type(item).__name__, str(item)))
    if type(value) in (list, tuple):
        return [_with_lists(item) for item in cast("list[Any]", value)]
    if type(value) is dict:
        return {key: _with_lists(item) for key, item in cast(JSONObject, value).items()}
    return value
