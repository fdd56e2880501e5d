"""The structure of a document, by the JSON Schema that the AsyncAPI specification publishes."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Protocol

from chanx.asyncapi.validation._problem import Problem, pointer
from chanx.type_defs import JSONObject

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

__all__ = ["schema_validator", "structure"]

_LONGEST_MESSAGE = 200


class SchemaValidator(Protocol):
    """Validates values; the types of jsonschema are incomplete here."""

    # Any: JSON.
    def iter_errors(self, instance: Any) -> "Iterator[ValidationError]":
        """Yield each error of a value."""
        ...


def structure(document: JSONObject) -> list[Problem]:
    """Return each place that is not as the specification wants it."""
    validator = _specification(document.get("asyncapi"))
    return [_problem(_reason(error)) for error in validator.iter_errors(document)]


def schema_validator(schema: JSONObject) -> SchemaValidator:
    """Return a validator of values; ImportError names the extra that brings it."""
    try:
        from jsonschema import Draft7Validator
    except ModuleNotFoundError as error:
        raise ImportError(
            'Validation needs jsonschema: pip install "chanx-asyncapi[cli]"'
        ) from error
    return Draft7Validator(schema)


@cache
def _specification(version: object) -> SchemaValidator:
    if version not in ("3.0.0", "3.1.0"):
        raise ValueError(f"AsyncAPI {version} cannot be validated, only 3.0.0 and 3.1.0.")
    place = files("chanx.asyncapi.validation").joinpath("specification", f"{version}.json")
    return schema_validator(json.loads(place.read_text(encoding="utf-8")))


def _reason(error: "ValidationError") -> "ValidationError":
    """Return what is behind "not valid under any of the given schemas": of the likeliest one, the deepest error."""
    while error.context:
        error = max(_likeliest(error.context), key=lambda inner: len(inner.absolute_path))
    return error


def _likeliest(errors: "Iterable[ValidationError]") -> "list[ValidationError]":
    """Choose among alternatives: an object that is no reference was not meant to be one."""
    alternatives: defaultdict[Any, list[ValidationError]] = defaultdict(list)
    for error in errors:
        alternatives[error.relative_schema_path[0]].append(error)
    meant = [found for found in alternatives.values() if not any(map(_wants_reference, found))]
    return min(meant or list(alternatives.values()), key=len)


def _wants_reference(error: "ValidationError") -> bool:
    return error.validator == "required" and error.validator_value == ["$ref"]


def _problem(error: "ValidationError") -> Problem:
    message = error.message
    if len(message) > _LONGEST_MESSAGE:
        message = f"{message[:_LONGEST_MESSAGE]}..."
    return Problem(pointer(*error.absolute_path), "structure", f"{message}.")
