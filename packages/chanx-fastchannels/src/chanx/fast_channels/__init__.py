"""Typed WebSocket consumers for FastAPI, Starlette, Litestar and any other ASGI application."""

from typing import TYPE_CHECKING, Any

from chanx.core import _guard as _guard

if TYPE_CHECKING:
    from chanx.fast_channels.views import (
        asyncapi_docs as asyncapi_docs,
    )
    from chanx.fast_channels.views import (
        asyncapi_spec_json as asyncapi_spec_json,
    )
    from chanx.fast_channels.views import (
        asyncapi_spec_yaml as asyncapi_spec_yaml,
    )

__all__ = ["asyncapi_docs", "asyncapi_spec_json", "asyncapi_spec_yaml"]


# Any: whichever view was asked for.
def __getattr__(name: str) -> Any:
    """Import the views when they are asked for: consumers alone need no extra."""
    if name in __all__:
        from chanx.fast_channels import views

        return getattr(views, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
