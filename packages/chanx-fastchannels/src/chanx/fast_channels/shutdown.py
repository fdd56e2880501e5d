"""Stopping without losing what handlers are about to answer: `with draining(): yield` in the application's lifespan."""

from chanx.core.shutdown import drain, draining

__all__ = ["drain", "draining"]
