"""What integrations know about the channel layers of their framework."""

from dataclasses import dataclass

from chanx.core import _guard as _guard

__all__ = ["LayerTraits"]


@dataclass(frozen=True, slots=True)
class LayerTraits:
    """What may be assumed of a channel layer; by default, nothing that saves work."""

    is_local: bool = False
    """It lives in this process: it cannot fail, so nobody has to watch whether it still answers."""
    has_free_channels: bool = False
    """`new_channel()` neither waits nor leaves anything behind, so a connection may take one when it needs one."""
