"""Between wire text and messages.

A frame is validated straight from its text by pydantic's compiled validator, and a message is written straight to
text by its compiled serializer. Python dictionaries are built only for frames that need a closer look: an envelope
beside the message, numbers that could overflow, unusual depth.

JSON has no infinity and no NaN. In a frame that arrives they are an error; in one that is sent they are written as
`null`, as `JSON.stringify()` does, whatever the class's `ser_json_inf_nan` says about constants.
"""

import re
from collections.abc import Callable, Iterable
from functools import cached_property, partial
from inspect import iscoroutine
from json import loads
from sys import float_info
from typing import Annotated, Any, Union, cast

from pydantic import Field, TypeAdapter, ValidationError
from pydantic_core import SchemaSerializer, SchemaValidator, from_json, to_json

from chanx.constants import ENVELOPE_VERSION, MAX_REF_LENGTH
from chanx.core._wire.dict_keys import (
    camel_key,
    camel_tree,
    reading_camel_keys,
    writing_camel_keys,
)
from chanx.core._wire.early_stop import detailed_up_to, stopping_early
from chanx.core._wire.envelope import (
    KEYS,
    NO_ENVELOPE,
    REPLY_KEYS,
    Envelope,
    checked_envelope,
    read_envelope,
)
from chanx.core._wire.error_frames import (
    MAX_DESCRIBED,
    InvalidFrameError,
    custom_error,
    malformed,
    unknown_action,
)
from chanx.core._wire.json_depth import is_shallow, outer_ref
from chanx.core._wire.parsed import reads_parsed_json
from chanx.core._wire.schema import (
    COLLISION,
    WireFormat,
    declared_names,
    finding_collisions,
    has_floats,
    may_write_constants,
    on_the_wire,
    refusing_infinity,
    renamed_fields,
    takes_any_number,
)
from chanx.messages.base import BaseMessage, message_actions
from chanx.type_defs import JSONObject

__all__ = [
    "Codec",
    "InvalidFrameError",
    "WireFormat",
    "camel_key",
    "camel_tree",
    "checked_message",
    "on_the_wire",
    "with_ref",
]

Validate = Callable[[str], BaseMessage]
Serialize = Callable[[BaseMessage], bytes]


# Finite numbers need neither three digits of exponent nor a hundred of mantissa.
_HUGE_NUMBER = re.compile(r"[0-9](?:[eE][+-]?[0-9]{3}|[0-9]{99})")


class Codec:
    """Decodes the given message types and encodes any, in one wire format."""

    def __init__(
        self,
        incoming: tuple[type[BaseMessage], ...],
        outgoing: tuple[type[BaseMessage], ...],
        wire: WireFormat,
        *,
        max_depth: int,
        envelope: frozenset[str] = REPLY_KEYS,
        on_undeclared: Callable[[type[BaseMessage]], None] | None = None,
    ) -> None:
        self.incoming = incoming
        self.outgoing = outgoing
        self.wire = wire
        self._max_depth = max_depth
        self._envelope_keys = envelope
        self._on_undeclared = on_undeclared
        self._shallow_up_to = 2 * max_depth  # what is opened is closed, or is no JSON
        self._serializers: dict[type[BaseMessage], Serialize] = {}

    @cached_property
    def _core_schema(self) -> Any:
        schema = adapter_of(self.incoming).core_schema
        if self.wire.is_plain:
            return schema
        schema = on_the_wire(schema, self.wire)
        return reading_camel_keys(schema) if self.wire.translates_dicts else schema

    @cached_property
    def _validate(self) -> Validate | None:
        if not self.incoming:
            return None
        if self.wire.is_plain and not has_floats(self._core_schema):
            return cast(Validate, adapter_of(self.incoming).validator.validate_json)
        return cast(
            Validate, _compile(SchemaValidator, refusing_infinity(self._core_schema)).validate_json
        )

    @cached_property
    def _validate_large(self) -> Validate:
        """For messages whose errors could be too many."""
        schema = stopping_early(refusing_infinity(self._core_schema))
        return cast(Validate, _compile(SchemaValidator, schema).validate_json)

    @cached_property
    def _validate_parsed(self) -> Callable[[JSONObject], BaseMessage] | None:
        """For messages that are dictionaries already; None where that would not be the same as for their text."""
        if not self.incoming or self._snake_keys or not reads_parsed_json(self._core_schema):
            return None
        schema = stopping_early(refusing_infinity(self._core_schema))
        return cast(
            Callable[[JSONObject], BaseMessage], _compile(SchemaValidator, schema).validate_python
        )

    @cached_property
    def _detailed_up_to(self) -> float:
        return detailed_up_to(self._core_schema)

    @cached_property
    def _takes_any_number(self) -> bool:
        """Whether a number too large for a float could get anywhere as infinity."""
        return bool(self.incoming) and takes_any_number(self._core_schema)

    @cached_property
    def _snake_keys(self) -> tuple[str, ...]:
        """Keys that a client of camel case does not write, but may."""
        if not self.wire.camelize or not self.incoming:
            return ()
        schema = adapter_of(self.incoming).core_schema
        return tuple(f'"{name}"' for name in sorted(renamed_fields(schema, self.wire)))

    @cached_property
    def _find_collisions(self) -> Validate:
        schema = finding_collisions(adapter_of(self.incoming).core_schema, self.wire)
        return cast(Validate, _compile(SchemaValidator, stopping_early(schema)).validate_json)

    def _refuse_collisions(self, text: str, ref: str | None) -> None:
        try:
            self._find_collisions(text)
        except ValidationError as error:
            if error.error_count() > MAX_DESCRIBED:
                return
            found = [detail for detail in error.errors() if detail["type"] == COLLISION]
            if found:
                raise InvalidFrameError(custom_error(found[0]), ref=ref) from None

    @cached_property
    def names(self) -> frozenset[str]:
        """Every key and tag that the server chose; the others in an error's location are the client's."""
        own = KEYS | {self.wire.discriminator_field}
        return own | declared_names(self._core_schema) if self.incoming else own

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """Actions that clients may send, in order."""
        return tuple(sorted(action for item in self.incoming for action in message_actions(item)))

    def decode(self, text: str) -> tuple[BaseMessage, Envelope]:
        """Validate one frame: the message, and what the client wrote beside it. Raises InvalidFrameError."""
        # One character is looked for much faster than two, and most frames have none of these.
        if (
            ("\\" in text and "\\u" in text)  # an escape could spell a key
            or ("N" in text and "NaN" in text)
            or ("I" in text and "Infinity" in text)
            or (len(text) > self._shallow_up_to and self._is_deep(text))
            or (self._takes_any_number and _HUGE_NUMBER.search(text))
            or self._validate is None
        ):
            return self.decode_object(self.parse(text))
        at = text.find('"ref"')
        if at < 0 and '"version"' not in text:
            return self._message(text, None), NO_ENVELOPE
        envelope = read_envelope(text, at) if self._ignores_envelope else None
        if envelope is None:
            return self.decode_object(self.parse(text))
        return self._message(text, envelope[0]), envelope

    @cached_property
    def _ignores_envelope(self) -> bool:
        """Whether messages may be validated with the envelope in place: none declares its keys, or minds others."""
        return not any(
            KEYS & item.model_fields.keys() or item.model_config.get("extra", "ignore") != "ignore"
            for item in self.incoming
        )

    def _is_deep(self, text: str) -> bool:
        opened = text.count("{") + text.count("[")
        return opened > self._max_depth and not is_shallow(text, self._max_depth)

    def _has_extremes(self, text: str) -> bool:
        """Tell whether a text may be too deep, or hold a number that overflows."""
        return (len(text) > self._shallow_up_to and self._is_deep(text)) or bool(
            self._takes_any_number and _HUGE_NUMBER.search(text)
        )

    def parse(self, text: str) -> Any:
        """Parse the JSON of a frame. Raises InvalidFrameError, with the frame's `ref` where that can be read."""
        try:
            content = _parsed_json(text, self._max_depth)
            if self._has_extremes(text):
                _check_values(content, self._max_depth, finite=self._takes_any_number)
            return content
        except InvalidFrameError as error:
            if '"ref"' in text and not self.declares_ref:
                is_readable = error.kind == "too_deep" or _is_lenient_json(text)
                error.ref = _readable_ref(text) if is_readable else None
            raise

    def decode_object(self, content: Any) -> tuple[BaseMessage, Envelope]:
        """Validate a parsed frame. Raises InvalidFrameError."""
        message, envelope = self.split(content)
        try:
            return self.validate_object(message), envelope
        except InvalidFrameError as error:
            error.ref = envelope[0]
            raise

    def validate_object(self, message: JSONObject) -> BaseMessage:
        """Validate a parsed frame without its envelope. Raises InvalidFrameError."""
        if self._validate_parsed is not None:
            try:
                return self._validate_parsed(message)
            except ValidationError:
                pass  # the text is validated in more detail, and says the same of a value however it came
        return self._message(to_json(message).decode(), None)

    def split(self, content: Any) -> tuple[JSONObject, Envelope]:
        """Split a parsed frame into message and envelope. Raises InvalidFrameError."""
        if not isinstance(content, dict):
            raise malformed("dict_type", "Input should be an object")
        content = cast(JSONObject, content)
        keys = self._envelope_keys
        if keys.isdisjoint(content):
            return content, NO_ENVELOPE
        own = self._own_fields(content.get(self.wire.discriminator_field))
        taken = {key: content[key] for key in keys - own if key in content}
        rest = {key: value for key, value in content.items() if key not in taken}
        return rest, checked_envelope(taken, own)

    def _message(self, text: str, ref: str | None) -> BaseMessage:
        if self._validate is None:
            raise InvalidFrameError(unknown_action(), ref=ref)
        for key in self._snake_keys:
            if key in text:
                self._refuse_collisions(text, ref)
        try:
            if len(text) > self._detailed_up_to:
                return self._validate_large(text)
            return self._validate(text)
        except ValidationError as error:
            is_malformed = _is_malformed(error)
            if is_malformed:
                # One wording, whichever parser met the text first.
                self.split(self.parse(text))
            raise InvalidFrameError(error, malformed=is_malformed, ref=ref) from None
        except UnicodeEncodeError:
            raise malformed("json_invalid", "Invalid JSON: lone surrogate") from None

    def _own_fields(self, action: Any) -> frozenset[str]:
        """Envelope names that the message itself declares as fields: there they are the message's own."""
        return (
            self._declared_envelope.get(action, frozenset())
            if isinstance(action, str)
            else frozenset()
        )

    def declares(self, key: str, action: object) -> bool:
        """Tell whether the message of an action has a field of the name of an envelope key."""
        return key in self._own_fields(action)

    def declares_anywhere(self, key: str) -> bool:
        """Tell whether any message has a field of that name."""
        return any(key in own for own in self._declared_envelope.values())

    @cached_property
    def declares_ref(self) -> bool:
        """Whether the key could be a message's own: which message it is, is not known of a frame that is not parsed."""
        return self.declares_anywhere("ref")

    @cached_property
    def _declared_envelope(self) -> dict[str, frozenset[str]]:
        return {
            action: frozenset(KEYS & item.model_fields.keys())
            for item in self.incoming
            for action in message_actions(item)
        }

    def encode(self, message: BaseMessage) -> str:
        """Write one message. Raises TypeError for what is none."""
        serialize = self._serializers.get(type(message))
        if serialize is None:
            message_type = type(checked_message(message))
            if self._on_undeclared is not None and not issubclass(message_type, self.outgoing):
                self._on_undeclared(message_type)
            serialize = self._serializers[message_type] = self._serializer(message_type)
        return serialize(message).decode()

    def encode_object(self, content: JSONObject) -> str:
        """Write a message that is a dictionary already, with the field names of its class."""
        if self.wire.is_plain:
            return _json_text(content)
        text = self._encoded_object(content)
        if not self.wire.translates_dicts:
            return text
        return writing_camel_keys(text.encode(), self.wire.discriminator_field).decode()

    def _encoded_object(self, content: JSONObject) -> str:
        message_type = self._outgoing_by_action.get(content.get("action"))
        if message_type is not None:
            known = content.keys() & message_type.model_fields.keys()
            try:
                text = self.encode(
                    message_type.model_validate({name: content[name] for name in known})
                )
            except ValidationError:
                pass  # not what its action says: the keys are anybody's
            else:
                return _with_keys(
                    text, {name: value for name, value in content.items() if name not in known}
                )
        key = self.wire.discriminator_field
        return _json_text(
            {key if name == "action" else name: value for name, value in content.items()}
        )

    @cached_property
    def _outgoing_by_action(self) -> dict[Any, type[BaseMessage]]:
        return {action: item for item in self.outgoing for action in message_actions(item)}

    def _serializer(self, message_type: type[BaseMessage]) -> Serialize:
        schema = TypeAdapter(message_type).core_schema
        serialize: Serialize = message_type.__pydantic_serializer__.to_json
        if not self.wire.is_plain:
            compiled = _compile(SchemaSerializer, on_the_wire(schema, self.wire))
            serialize = partial(compiled.to_json, by_alias=True)
        if may_write_constants(schema):
            serialize = _then(serialize, _without_constants)
        if self.wire.translates_dicts:
            field = self.wire.discriminator_field
            serialize = _then(serialize, lambda text: writing_camel_keys(text, field))
        return serialize


def _then(serialize: Serialize, change: Callable[[bytes], bytes]) -> Serialize:
    return lambda message: change(serialize(message))


def checked_message(result: object) -> BaseMessage:
    """Return what a handler returned, if it is a message; raise TypeError otherwise."""
    if isinstance(result, BaseMessage):
        return result
    if iscoroutine(result):
        result.close()  # it would be reported as never awaited
        raise TypeError(
            f"Expected a BaseMessage, but got the coroutine of {result.__qualname__}(), which was called without "
            "'await': write 'return await ...'."
        )
    raise TypeError(
        f"Expected a BaseMessage, but got {type(result).__name__}: handlers return messages or None."
    )


BEFORE_REF = f',"version":{ENVELOPE_VERSION},"ref":'
"""What stands between a message and its `ref`."""


def with_ref(text: str, ref: str | None, before: str = BEFORE_REF) -> str:
    """Add the envelope to an encoded object, behind its own keys."""
    if ref is None:
        return text
    # Most references are numbers or names, which need no escapes.
    written = f'"{ref}"' if ref.isalnum() else to_json(ref).decode()
    start = before if len(text) > len("{}") else before[1:]  # no comma in an empty object
    return f"{text[:-1]}{start}{written}}}"


def _with_keys(text: str, extra: JSONObject) -> str:
    if not extra:
        return text
    separator = "" if text == "{}" else ","
    return f"{text[:-1]}{separator}{_json_text(extra)[1:]}"


# Any: whatever an application puts into a message.
def _json_text(content: Any) -> str:
    return _without_constants(to_json(content)).decode()


# Strings are matched whole, so that a constant in one is left alone.
_STRING_OR_CONSTANT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN')


def _without_constants(text: bytes) -> bytes:
    """Write `null` for NaN and the infinities. A model may have told pydantic to write them, however deep it is."""
    if b"NaN" not in text and b"Infinity" not in text:
        return text
    return _STRING_OR_CONSTANT.sub(_null_or_string, text)


def _null_or_string(found: re.Match[bytes]) -> bytes:
    return found[0] if found[0].startswith(b'"') else b"null"


def adapter_of(message_types: tuple[type[BaseMessage], ...]) -> TypeAdapter[Any]:
    """Build the union of message types, told apart by their action."""
    # Any: type checkers know unions that are written, not ones that are made from a tuple.
    union, annotated = cast(Any, Union), cast(Any, Annotated)
    return TypeAdapter(annotated[union[message_types], Field(discriminator="action")])


def _parsed_json(text: str, max_depth: int) -> Any:
    """Parse a frame, refusing what RFC 8259 does not know: NaN and the infinities."""
    try:
        return from_json(text, allow_inf_nan=False)
    except ValueError as error:
        reason = str(error)
        if reason.startswith("recursion limit"):
            raise malformed("too_deep", f"Nesting is deeper than {max_depth} levels") from None
        raise malformed("json_invalid", f"Invalid JSON: {reason}") from None
    except TypeError:
        raise malformed("json_invalid", "Invalid JSON: lone surrogate") from None


def _check_values(content: Any, max_depth: int, *, finite: bool) -> None:
    """Refuse too deep nesting; `finite` refuses also numbers that overflow to infinity."""
    level: list[Any] = [content]
    depth = 0
    while level:
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                below += cast("dict[str, Any]", value).values()
            elif isinstance(value, list):
                below += cast("Iterable[Any]", value)
            elif finite and isinstance(value, float | int) and abs(value) > float_info.max:
                raise malformed("json_invalid", "Invalid JSON: number out of range")
        depth += any(isinstance(value, dict | list) for value in level)
        if depth > max_depth:
            raise malformed("too_deep", f"Nesting is deeper than {max_depth} levels")
        level = below


def _is_lenient_json(text: str) -> bool:
    """Tell whether text is JSON but for NaN, numbers out of range and lone surrogates, which common libraries write."""
    try:
        loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _readable_ref(text: str) -> str | None:
    """Return the reference of a frame that is refused unparsed, if it is a valid one."""
    found = outer_ref(text)
    try:
        ref: str | None = None if found is None else from_json(found)
    except (ValueError, TypeError):  # a bad escape, or a lone surrogate
        return None
    return None if ref is None or len(ref) > MAX_REF_LENGTH else ref


def _is_malformed(error: ValidationError) -> bool:
    if error.error_count() != 1:
        return False
    detail = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return (
        detail["type"] in ("json_invalid", "string_unicode", "dict_type", "model_attributes_type")
        and not detail["loc"]
    )


def _compile(kind: Callable[..., Any], schema: Any) -> Any:
    """Compile a rewritten schema; newer pydantic would otherwise take the models' own compiled ones instead."""
    try:
        return kind(schema, None, _use_prebuilt=False)
    except TypeError:
        return kind(schema)
