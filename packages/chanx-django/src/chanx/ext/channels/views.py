"""The views of `chanx.channels.views`."""

from chanx.channels.views import (
    AsyncAPIDocsView,
    AsyncAPISchemaView,
    generate_asyncapi_schema,
)

__all__ = [
    "AsyncAPIDocsView",
    "AsyncAPISchemaView",
    "generate_asyncapi_schema",
]
