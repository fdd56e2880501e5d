"""The messages of a document: one component for each schema that travels as one."""

from collections.abc import Iterable

from chanx.asyncapi.naming import UniqueNames
from chanx.asyncapi.schemas import MessageSchemas, MessageUse, collect_schemas
from chanx.messages.base import message_actions
from chanx.type_defs import JSONObject
from chanx.utils.text import snake_case

__all__ = ["REF_CORRELATION", "Messages"]

REF_CORRELATION: JSONObject = {
    "description": "A client may give a message a `ref`; every frame that answers it carries the same.",
    "location": "$message.payload#/ref",
}


class Messages:
    """Message components by key, over the schemas that they point to."""

    def __init__(self, uses: Iterable[MessageUse]) -> None:
        by_schema: dict[str, MessageUse] = {}
        uses = list(uses)
        self.schemas: MessageSchemas = collect_schemas(uses)
        for use in uses:
            by_schema.setdefault(self.schemas.name_of(use), use)
        names = UniqueNames()
        self._keys = {
            name: names.take(snake_case(name.replace("-", "_").replace(".", "_")), name)
            for name in sorted(by_schema)
        }
        components = {
            self._keys[name]: self._component(name, use) for name, use in by_schema.items()
        }
        self.components: dict[str, JSONObject] = dict(sorted(components.items()))

    def keys(self, uses: Iterable[MessageUse]) -> list[str]:
        """Return the keys of messages, in their order, each once."""
        return list(dict.fromkeys(self._keys[self.schemas.name_of(use)] for use in uses))

    def correlates(self) -> bool:
        """Tell whether any message can carry a `ref`."""
        return any("correlationId" in component for component in self.components.values())

    def _component(self, name: str, use: MessageUse) -> JSONObject:
        component: JSONObject = {
            "name": message_actions(use.message_type)[0],
            "title": use.message_type.__name__,
            "payload": {"$ref": f"#/components/schemas/{name}"},
        }
        if use.envelope.ref and "ref" not in use.message_type.model_fields:
            component["correlationId"] = {"$ref": "#/components/correlationIds/ref"}
        return component
