"""Who is compared."""

from dataclasses import dataclass

__all__ = [
    "BY_HAND",
    "CHANNELS",
    "EXISTING",
    "EXISTING_DJANGO",
    "FAST_CHANNELS",
    "LIMIT",
    "LITESTAR",
    "OURS",
    "OURS_CLIENT",
    "OURS_DJANGO",
    "SOCKET_IO",
    "Peer",
    "baseline",
]


@dataclass(frozen=True)
class Peer:
    """One way to serve messages, with an environment of its own.

    Its requirements are in `peers/<name>.txt`, its application in `workers/<worker>.py`. `packages` are built from this
    checkout. `framework` and `library` are modules: what a user has anyway (`messages` defines a first pydantic model,
    which loads the rest of pydantic), and what the peer adds.
    """

    name: str
    title: str
    worker: str
    packages: tuple[str, ...] = ()
    framework: tuple[str, ...] = ()
    library: tuple[str, ...] = ()
    on_django: bool = False


_MODULES = ("chanx.core.decorators", "chanx.messages.incoming", "chanx.messages.outgoing")
OURS = Peer(
    "ours-fast-channels",
    "ours, fast-channels",
    "chanx_fast_channels",
    packages=("chanx-core", "chanx-asyncapi", "chanx-fastchannels"),
    framework=("messages", "fast_channels.consumer", "fast_channels.layers"),
    library=("chanx.fast_channels.websocket", *_MODULES),
)
EXISTING = Peer(
    "existing-fast-channels",
    "chanx 2.13.0, fast-channels",
    "chanx_fast_channels",
    framework=OURS.framework,
    library=OURS.library,
)
OURS_CLIENT = Peer(
    "ours-client",
    "ours, Python client",
    "clients",
    packages=OURS.packages,
)
OURS_DJANGO = Peer(
    "ours-channels",
    "ours, Channels",
    "chanx_channels",
    packages=("chanx-core", "chanx-asyncapi", "chanx-django"),
    framework=("messages", "django", "channels.generic.websocket", "channels.layers"),
    library=("chanx.channels.websocket", *_MODULES),
    on_django=True,
)
EXISTING_DJANGO = Peer(
    "existing-channels",
    "chanx 2.13.0, Channels",
    "chanx_channels",
    framework=OURS_DJANGO.framework,
    library=OURS_DJANGO.library,
    on_django=True,
)
FAST_CHANNELS = Peer("raw-fast-channels", "fast-channels, no types", "raw_fast_channels")
CHANNELS = Peer("raw-channels", "Channels, no types", "raw_channels", on_django=True)
BY_HAND = Peer("starlette", "Starlette, by hand", "by_hand")
SOCKET_IO = Peer("socketio", "python-socketio", "socket_io")
LITESTAR = Peer("litestar", "Litestar", "litestar_listener")
LIMIT = Peer("limit", "bare ASGI loop", "limit")


def baseline(peer: Peer) -> Peer:
    """Return the peer that figures are compared with."""
    return EXISTING_DJANGO if peer.on_django else EXISTING
