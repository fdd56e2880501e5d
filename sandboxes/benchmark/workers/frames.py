"""The frames that clients of every peer send: one of each of the ten message types."""

import json
from typing import Any

__all__ = ["ACTIONS", "frames", "invalid_frame"]

ACTIONS = [f"item_{number}" for number in range(10)]


def frames(*, camelize: bool = False) -> list[str]:
    """Return one frame of each type."""
    return [json.dumps(_content(action, camelize)) for action in ACTIONS]


def invalid_frame() -> str:
    """Return 64 KiB of items in bulk, each wrong in the way of each kind."""
    beginning, end = '{"action":"bulk","payload":[', "{}]}"
    return beginning + "{}," * ((64 * 1024 - len(beginning) - len(end)) // 3) + end


def _content(action: str, camelize: bool) -> dict[str, Any]:
    payload = {
        "user_name": "ada",
        "room_id": 42,
        "message_text": "The analytical engine weaves algebraic patterns.",
        "tag_names": ["engines", "weaving"],
        "is_urgent": False,
    }
    if camelize:
        payload = {_camel(name): value for name, value in payload.items()}
    return {"action": action, "payload": payload}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.title() for word in others)
