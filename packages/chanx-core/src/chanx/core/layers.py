"""What integrations know about the channel layers of their framework."""

from dataclasses import dataclass
from typing import Any

from chanx.utils.groups import is_group_name
from chanx.utils.logging import logger

__all__ = ["REFUSALS", "LayerTraits", "ProcessLayer"]

# What layers raise where they refuse the name of a group, which is no failure of theirs.
REFUSALS: tuple[type[Exception], ...] = (TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class LayerTraits:
    """What may be assumed of a channel layer; by default, nothing that saves work."""

    is_local: bool = False
    """It lives in this process: it cannot fail, so nobody has to watch whether it still answers."""
    has_free_channels: bool = False
    """`new_channel()` neither waits nor leaves anything behind, so a connection may take one when it needs one."""


@dataclass(slots=True)
class ProcessLayer:
    """The in-memory layer of a process in which the application has registered none."""

    layer: Any  # each library annotates its layers in its own way
    """It has to be local with free channels: connections take one when they first need it."""
    advice: str
    """How to register a layer on Redis, for the warning."""
    is_announced: bool = False

    @property
    def explanation(self) -> str:
        """What it means that there is no other layer, and how to change that."""
        return (
            f"No channel layer is registered: groups and events stay in this process. {self.advice}"
        )

    def announce(self) -> None:
        """Log once that groups and events stay in this process."""
        if not self.is_announced:
            self.is_announced = True
            logger.warning(self.explanation)


def check_group_name(consumer: type, group: object, refusal: Exception) -> None:
    """Raise TypeError with the cure if a layer has refused a group for its name."""
    if not is_group_name(group):
        raise TypeError(
            f"{consumer.__name__} uses the group {group!r}, which is not a valid name: names have ASCII letters, "
            "digits, '-', '_' and '.', and fewer than 100 of them. Make a name from any text with "
            "chanx.utils.groups.safe_group_name()."
        ) from refusal
