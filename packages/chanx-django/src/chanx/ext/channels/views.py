"""The views of `chanx.channels.views`."""

from chanx.channels.views import (
    AsyncAPIDocsView,
    AsyncAPISchemaView,
    generate_asyncapi_schema,
)
from chanx.core import _guard as _guard

__all__ = [
    "AsyncAPIDocsView",
    "AsyncAPISchemaView",
    "generate_asyncapi_schema",
]
