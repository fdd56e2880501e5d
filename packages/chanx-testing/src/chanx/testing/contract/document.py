"""The messages of an AsyncAPI document, and following its references."""

from functools import cached_property
from typing import Any, cast

from jsonschema import Draft7Validator

from chanx.type_defs import JSONObject

__all__ = ["MessageSchema", "followed"]


class MessageSchema:
    """One message of a document, and how frames are held to it."""

    def __init__(self, document: JSONObject, reference: str) -> None:
        component: JSONObject = followed(document, reference)
        self.name: str = component["name"]
        self.correlates: bool = "correlationId" in component
        self.components: JSONObject = document["components"]
        self.schema: JSONObject = component["payload"]
        # Any: its annotations are incomplete.
        self._validator: Any = Draft7Validator({**self.schema, "components": self.components})

    # Any: frames are whatever JSON can hold.
    def problems(self, frame: Any) -> list[str]:
        """Return what is wrong with a frame, the place first."""
        return [
            f"{error.json_path}: {error.message}" for error in self._validator.iter_errors(frame)
        ]

    @cached_property
    def properties(self) -> JSONObject:
        """The fields of the frame."""
        return cast(JSONObject, self._described.get("properties", {}))

    def requires(self, field: str) -> bool:
        """Tell whether every such frame has a field."""
        return field in self._described.get("required", ())

    @cached_property
    def _described(self) -> JSONObject:
        schema = self.schema
        while "$ref" in schema:
            schema = followed({"components": self.components}, schema["$ref"])
        return schema

    @cached_property
    def key(self) -> str:
        """The field that names the message. Raises ValueError where there is none."""
        for name, field in self.properties.items():
            if self.name in _constants(field):
                return name
        raise ValueError(f"No field of the message {self.name!r} says that it is one.")

    def is_meant(self, frame: Any) -> bool:
        """Tell whether a frame says that it is this message."""
        if not isinstance(frame, dict):
            return False
        return cast(JSONObject, frame).get(self.key) in _constants(self.properties[self.key])


def _constants(field: JSONObject) -> list[Any]:
    return [field["const"]] if "const" in field else field.get("enum", [])


def followed(document: JSONObject, reference: str) -> JSONObject:
    """Return what a reference leads to, over as many further ones as there are."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return followed(document, found["$ref"]) if found.keys() == {"$ref"} else found
