"""AsyncAPI documents from typed WebSocket consumers."""

from chanx.asyncapi.document import generate_document
from chanx.asyncapi.options import DocumentOptions
from chanx.asyncapi.publication import Publication, publish
from chanx.asyncapi.routes import ConsumerRoute, Parameter
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.core import _guard as _guard

__all__ = [
    "ConsumerRoute",
    "DocumentOptions",
    "Parameter",
    "Publication",
    "generate_document",
    "publish",
    "to_json_text",
    "to_yaml_text",
]
