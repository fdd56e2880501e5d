"""The names of `chanx.channels` under the import paths of earlier releases."""

from chanx.core import _guard as _guard
