"""What the environment says, read and checked in one place."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

__all__ = ["Settings"]

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


@dataclass(frozen=True, slots=True)
class Settings:
    """The sandbox's settings; README.md describes their variables."""

    redis_url: str | None
    send_completion: bool
    log_websocket: bool

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings; ValueError names a variable that makes no sense."""
        return cls(
            redis_url=environment.get("REDIS_URL", "").strip() or None,
            send_completion=_flag(environment, "SEND_COMPLETION", default=False),
            log_websocket=_flag(environment, "LOG_WEBSOCKET", default=True),
        )


def _flag(environment: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = environment.get(name, "").strip().lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ValueError(f"{name} must be 1, true, yes, on, 0, false, no or off, and is {value!r}.")
