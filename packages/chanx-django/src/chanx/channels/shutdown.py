"""Stopping without losing what handlers are about to answer: `ProtocolTypeRouter({"lifespan": lifespan, ...})`.

Daphne does not know the lifespan protocol: with it, await `drain()` before its server stops.
"""

from chanx.core.shutdown import drain, lifespan

__all__ = ["drain", "lifespan"]
