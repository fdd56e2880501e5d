"""Checking a document: its structure by the specification's JSON Schema, and what that schema cannot say."""

from chanx.asyncapi.validation._problem import Problem
from chanx.asyncapi.validation._references import broken_references
from chanx.asyncapi.validation._rules import RULES
from chanx.asyncapi.validation._structure import structure
from chanx.type_defs import JSONObject

__all__ = ["Problem", "validate_document"]


def validate_document(document: JSONObject) -> list[Problem]:
    """Return what is wrong with an AsyncAPI 3 document, in order of its places; nothing where it is valid.

    The further rules are asked only of a document whose structure and references are as they should be.
    Raises ImportError without the extra `cli`, and ValueError for another version of AsyncAPI.
    """
    found = structure(document) or list(broken_references(document))
    found = found or [problem for rule in RULES for problem in rule(document)]
    return sorted(found)
