"""Parameters and security schemes of the handshake that an integration finds."""

import re
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from chanx.asyncapi.draft7 import map_schemas, to_draft7
from chanx.asyncapi.shapes import is_object
from chanx.type_defs import JSONObject

__all__ = ["HandshakeParameter", "Requirements", "SecurityScheme", "api_key", "value_schema"]

_DEFINITIONS = "#/$defs/"


@dataclass(frozen=True, slots=True)
class HandshakeParameter:
    """One parameter of the handshake; `schema` is JSON Schema of draft 7."""

    name: str
    location: Literal["query", "header"]
    is_required: bool
    schema: JSONObject = field(hash=False)


@dataclass(frozen=True, slots=True)
class SecurityScheme:
    """One way to be let in: an AsyncAPI security scheme, and the key that it asks for in the document."""

    key: str
    content: JSONObject = field(hash=False)


@dataclass(frozen=True, slots=True)
class Requirements:
    """What a connection needs, and what single handlers need, by the name of their method: `name`, or `Topic.name`."""

    parameters: tuple[HandshakeParameter, ...] = ()
    schemes: tuple[SecurityScheme, ...] = ()
    handler_schemes: tuple[tuple[str, tuple[SecurityScheme, ...]], ...] = ()


def api_key(name: str, location: str) -> SecurityScheme:
    """Return the scheme of a secret that is sent as it is, with a key like `query_token` or `header_x_api_key`."""
    key = re.sub(r"[^a-z0-9]+", "_", name.lower())
    content: JSONObject = {"type": "httpApiKey", "name": name, "in": location}
    return SecurityScheme(f"{location}_{key}", content)


def value_schema(hint: Any) -> JSONObject:
    """Return the schema of a type hint, with everything that it refers to written in place."""
    written = TypeAdapter(hint).json_schema(schema_generator=_Generator)
    schema: JSONObject = to_draft7(_in_place(written, written.pop("$defs", {})))
    return schema


class _Generator(GenerateJsonSchema):
    ignored_warning_kinds = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012 - as the base class has it

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        """Document what JSON Schema has no words for as anything."""
        return {}


def _in_place(schema: Any, definitions: JSONObject) -> Any:
    if not is_object(schema):
        return schema
    name = str(schema.get("$ref", "")).removeprefix(_DEFINITIONS)
    if name in definitions:
        # Left out below: a type that holds itself cannot be written in place.
        rest = {key: value for key, value in definitions.items() if key != name}
        beside = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_in_place(definitions[name], rest), **beside}
    known = {key: value for key, value in schema.items() if key != "$ref"}
    return map_schemas(known, lambda inner: _in_place(inner, definitions))
