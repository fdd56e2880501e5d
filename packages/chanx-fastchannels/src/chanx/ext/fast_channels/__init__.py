"""The names of `chanx.fast_channels` under the import path of earlier releases."""

from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.fast_channels import asyncapi_docs as asyncapi_docs
    from chanx.fast_channels import asyncapi_spec_json as asyncapi_spec_json
    from chanx.fast_channels import asyncapi_spec_yaml as asyncapi_spec_yaml

__all__ = ["asyncapi_docs", "asyncapi_spec_json", "asyncapi_spec_yaml"]


# Any: whichever view was asked for.
def __getattr__(name: str) -> Any:
    """Import the views when they are asked for, as `chanx.fast_channels` does."""
    if name in __all__:
        import chanx.fast_channels

        return getattr(chanx.fast_channels, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
