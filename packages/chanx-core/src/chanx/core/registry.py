"""Collecting message types and their JSON schemas by consumer."""

from collections import defaultdict
from functools import cached_property
from types import UnionType
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chanx.core.handlers import flatten_types
from chanx.messages.base import BaseMessage
from chanx.type_defs import JSONObject
from chanx.utils.text import snake_case

__all__ = ["MessageRegistry"]

_SCHEMA_REF = "#/components/schemas/{model}"
_MESSAGE_REF = "#/components/messages/{name}"


class MessageRegistry:
    """Message types by consumer, with their schemas in the form of AsyncAPI components.

    Schemas are built when one is asked for, all at once: models of one name, nested ones included,
    are told apart by longer names. Callers name consumers; two with the same class name need two names.
    """

    def __init__(self) -> None:
        self.consumer_messages: defaultdict[str, set[type[BaseMessage]]] = defaultdict(set)
        self._models: dict[type[BaseModel], None] = {}

    def add(
        self,
        message_type: type[BaseMessage]
        | list[type[BaseMessage]]
        | tuple[type[BaseMessage], ...]
        | UnionType,
        consumer_name: str,
    ) -> None:
        """Add one message type, or each of a union, list or tuple."""
        for member in flatten_types(message_type):
            self.build_message(member, consumer_name)

    def build_message(self, message_type: type[BaseMessage], consumer_name: str) -> None:
        """Add one message type."""
        self.consumer_messages[consumer_name].add(message_type)
        self.build_message_schema(message_type, consumer_name)

    def build_message_schema(
        self, model_type: type[BaseModel] | UnionType, consumer_name: str
    ) -> None:
        """Add a model, or each of a union, that is part of messages."""
        for member in flatten_types(model_type):
            self._models.setdefault(cast("type[BaseModel]", member))
        self.__dict__.pop("_built", None)

    @property
    def schemas(self) -> dict[type[BaseModel], str]:
        """References to the schemas, by model."""
        references, _ = self._built
        return references

    @property
    def schema_objects(self) -> dict[str, JSONObject]:
        """Schemas by name, those of nested models included."""
        _, definitions = self._built
        return definitions

    @property
    def messages(self) -> dict[type[BaseMessage], str]:
        """References to the messages, by type."""
        return {
            model: _MESSAGE_REF.format(name=self._message_name(model))
            for model in self.schemas
            if issubclass(model, BaseMessage)
        }

    @property
    def message_objects(self) -> dict[str, JSONObject]:
        """Messages by name: each refers to the schema of its frame."""
        return {
            self._message_name(model): {"payload": {"$ref": reference}}
            for model, reference in self.schemas.items()
            if issubclass(model, BaseMessage)
        }

    def _message_name(self, model: type[BaseModel]) -> str:
        return snake_case(self.schemas[model].rsplit("/", 1)[-1])

    @cached_property
    def _built(self) -> tuple[dict[type[BaseModel], str], dict[str, JSONObject]]:
        by_model, schema = models_json_schema(
            [(model, "validation") for model in self._models], ref_template=_SCHEMA_REF
        )
        references = {
            cast("type[BaseModel]", model): cast(str, reference["$ref"])
            for (model, _), reference in by_model.items()
        }
        definitions: dict[str, Any] = schema.get("$defs", {})
        return references, definitions
