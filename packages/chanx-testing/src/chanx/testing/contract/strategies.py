"""Values that a JSON schema allows, for hypothesis to choose from.

hypothesis-jsonschema, which does the same for more of JSON Schema, does not work with current releases of hypothesis.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, cast

from hypothesis import strategies as st

from chanx.testing.contract.document import followed
from chanx.type_defs import JSONObject

__all__ = ["Values"]

# Any: JSON values.
Strategy = st.SearchStrategy[Any]

_MOST_ITEMS = 4
_MOST_CHARACTERS = 20
_LARGEST_INTEGER = 2**53 - 1  # what every JSON parser keeps exactly

_KEYS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=1, max_size=8)
_SCALARS = st.none() | st.booleans() | st.integers(-1000, 1000) | st.text(max_size=8)
ANYTHING: Strategy = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=2),
    max_leaves=4,
)


_FORMATS: dict[str, Strategy] = {
    "date": st.dates().map(str),
    "date-time": st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    "duration": st.integers(0, 10**6).map(lambda seconds: f"PT{seconds}S"),
    "email": st.from_regex(r"[a-z]{1,8}@[a-z]{1,8}\.com", fullmatch=True),
    "ipv4": st.ip_addresses(v=4).map(str),
    "ipv6": st.ip_addresses(v=6).map(str),
    "time": st.times().map(str),
    "uri": st.from_regex(r"https://[a-z]{1,8}\.com/[a-z]{0,8}", fullmatch=True),
    "uuid": st.uuids().map(str),
}


class Values:
    """Makes strategies for the schemas of one document."""

    def __init__(self, components: JSONObject) -> None:
        self._document: JSONObject = {"components": components}
        self._by_reference: dict[str, Strategy] = {}

    def of(self, schema: Any) -> Strategy:
        """Return the values that a schema allows; a few of them may break what it says of two fields at once."""
        return self._described(cast(JSONObject, schema)) if isinstance(schema, dict) else ANYTHING

    def _described(self, schema: JSONObject) -> Strategy:
        if "$ref" in schema:
            return self._referred(schema["$ref"])
        if "const" in schema:
            return st.just(schema["const"])
        if "enum" in schema:
            return st.sampled_from(schema["enum"])
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return st.one_of([self.of(part) for part in schema[keyword]])
        if "allOf" in schema:
            return self.of(schema["allOf"][0])
        return self._typed(schema)

    def _referred(self, reference: str) -> Strategy:
        if reference not in self._by_reference:
            # Deferred: a schema may hold itself.
            target = followed(self._document, reference)
            self._by_reference[reference] = st.deferred(lambda: self.of(target))
        return self._by_reference[reference]

    def _typed(self, schema: JSONObject) -> Strategy:
        kinds = schema.get("type", [])
        kinds = [kinds] if isinstance(kinds, str) else kinds
        makers: dict[str, Callable[[JSONObject], Strategy]] = {
            "array": self._array,
            "boolean": lambda _: st.booleans(),
            "integer": _integer,
            "null": lambda _: st.none(),
            "number": _number,
            "object": self._object,
            "string": _string,
        }
        return st.one_of([makers[kind](schema) for kind in kinds]) if kinds else ANYTHING

    def _array(self, schema: JSONObject) -> Strategy:
        # Any: one schema, or a list of them.
        items: Any = schema.get("items")
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if isinstance(items, list):
            parts = [self.of(part) for part in cast(Iterable[Any], items)]
            return st.tuples(*parts).map(list)
        return st.lists(
            self.of(items),
            min_size=least,
            max_size=least + _MOST_ITEMS if most is None else most,
            unique_by=repr if schema.get("uniqueItems") else None,
        )

    def _object(self, schema: JSONObject) -> Strategy:
        properties: JSONObject = schema.get("properties", {})
        if not properties:
            return self._mapping(schema)
        required = set(schema.get("required", ()))
        fields = {name: self.of(part) for name, part in properties.items()}
        return st.fixed_dictionaries(
            {name: field for name, field in fields.items() if name in required},
            optional={name: field for name, field in fields.items() if name not in required},
        )

    def _mapping(self, schema: JSONObject) -> Strategy:
        names = schema.get("propertyNames")
        least, most = schema.get("minProperties", 0), schema.get("maxProperties")
        return st.dictionaries(
            _KEYS if names is None else self.of({"type": "string", **names}),
            self.of(schema.get("additionalProperties")),
            min_size=least,
            max_size=least + _MOST_ITEMS if most is None else most,
        )


def _string(schema: JSONObject) -> Strategy:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    most = least + _MOST_CHARACTERS if most is None else most
    if "pattern" in schema:
        pattern: str = schema["pattern"]
        matching = st.from_regex(pattern)
        return matching.filter(lambda text: least <= len(text) <= most)
    known = _FORMATS.get(schema.get("format", ""))
    return st.text(min_size=least, max_size=most) if known is None else known


def _integer(schema: JSONObject) -> Strategy:
    step = int(schema.get("multipleOf", 1))
    low, high = -_LARGEST_INTEGER, _LARGEST_INTEGER
    if "minimum" in schema:
        low = int(schema["minimum"])
    if "exclusiveMinimum" in schema:
        low = max(low, int(schema["exclusiveMinimum"]) + 1)
    if "maximum" in schema:
        high = int(schema["maximum"])
    if "exclusiveMaximum" in schema:
        high = min(high, int(schema["exclusiveMaximum"]) - 1)
    return st.integers(-(-low // step), high // step).map(lambda number: number * step)


def _number(schema: JSONObject) -> Strategy:
    if "multipleOf" in schema:
        step = schema["multipleOf"]
        return st.integers(-1000, 1000).map(lambda number: number * step)
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    return st.floats(
        low,
        high,
        allow_nan=False,
        allow_infinity=False,
        exclude_min="exclusiveMinimum" in schema,
        exclude_max="exclusiveMaximum" in schema,
    )
