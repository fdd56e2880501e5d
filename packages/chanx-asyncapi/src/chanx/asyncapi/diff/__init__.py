"""Comparing two documents of one API: what changed, and who is broken by it."""

from chanx.asyncapi.diff._change import Change, Direction
from chanx.asyncapi.diff._documents import compare_documents

__all__ = ["Change", "Direction", "compare_documents"]
