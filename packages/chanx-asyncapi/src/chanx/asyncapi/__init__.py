"""AsyncAPI documents from typed WebSocket consumers."""

# First, so that a module that the single package has overwritten is not the first to fail.
from chanx.core import _guard as _guard  # isort: split

from chanx.asyncapi.document import generate_document
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.publication import Publication, publish
from chanx.asyncapi.requirements import HandshakeParameter, Requirements, SecurityScheme
from chanx.asyncapi.routes import ConsumerRoute, Parameter
from chanx.asyncapi.text import to_json_text, to_yaml_text

__all__ = [
    "ConsumerRoute",
    "DocumentOptions",
    "HandshakeParameter",
    "Parameter",
    "Publication",
    "Requirements",
    "SecurityScheme",
    "generate_document",
    "publish",
    "to_json_text",
    "to_yaml_text",
]
