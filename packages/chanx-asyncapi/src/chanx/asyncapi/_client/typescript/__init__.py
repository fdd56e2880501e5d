"""Clients in TypeScript and JavaScript."""

from chanx.asyncapi._client.typescript._files import javascript_module, typescript_files

__all__ = ["javascript_module", "typescript_files"]
