"""Small helpers that consumers and integrations share."""

from chanx.core import _guard as _guard
