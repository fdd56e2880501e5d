"""The registry of message types."""

from typing import Any, Literal, cast

from pydantic import BaseModel

from chanx.core.registry import MessageRegistry
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage


def order_with(nested: type[BaseModel], action: str) -> type[BaseMessage]:
    """Make a message with a list of nested models."""
    literal, items = cast(Any, Literal), cast(Any, list)
    namespace: dict[str, Any] = {
        "__module__": __name__,
        "__annotations__": {"action": literal[action], "payload": items[nested]},
        "action": action,
    }
    return type(f"Order{action.title()}", (BaseMessage,), namespace)


def test_types_are_kept_by_consumer() -> None:
    """Single types, unions, lists and tuples; None in a union is nothing."""
    registry = MessageRegistry()
    registry.add(PingMessage, "First")
    registry.add(PingMessage | PongMessage, "Second")
    registry.add([PongMessage], "Third")
    registry.add((PingMessage, PongMessage), "Fourth")
    assert registry.consumer_messages == {
        "First": {PingMessage},
        "Second": {PingMessage, PongMessage},
        "Third": {PongMessage},
        "Fourth": {PingMessage, PongMessage},
    }


def test_schemas_and_messages_refer_to_each_other() -> None:
    """Messages are named in snake case, schemas by class."""
    registry = MessageRegistry()
    registry.add(PingMessage, "First")
    assert registry.schemas == {PingMessage: "#/components/schemas/PingMessage"}
    assert registry.messages == {PingMessage: "#/components/messages/ping_message"}
    assert registry.message_objects == {
        "ping_message": {"payload": {"$ref": "#/components/schemas/PingMessage"}}
    }
    assert registry.schema_objects["PingMessage"]["properties"]["action"]["const"] == "ping"
    registry.add(PongMessage, "First")
    assert sorted(registry.schema_objects) == ["PingMessage", "PongMessage"]


def test_nested_models_of_one_name_stay_apart() -> None:
    """Each reference leads to the schema of its own model."""
    first = type("Item", (BaseModel,), {"__module__": "one", "__annotations__": {"price": int}})
    second = type("Item", (BaseModel,), {"__module__": "two", "__annotations__": {"weight": int}})
    registry = MessageRegistry()
    registry.add(order_with(first, "buy"), "Shop")
    registry.add(order_with(second, "ship"), "Shop")

    def item_of(name: str) -> dict[str, Any]:
        reference = registry.schema_objects[name]["properties"]["payload"]["items"]["$ref"]
        return registry.schema_objects[reference.rsplit("/", 1)[-1]]

    assert list(item_of("OrderBuy")["properties"]) == ["price"]
    assert list(item_of("OrderShip")["properties"]) == ["weight"]


def test_a_union_of_models_is_each_of_them() -> None:
    registry = MessageRegistry()
    registry.build_message_schema(PingMessage | PongMessage, "Ping")

    assert set(registry.schema_objects) == {"PingMessage", "PongMessage"}
    assert registry.schemas[PingMessage] == "#/components/schemas/PingMessage"
