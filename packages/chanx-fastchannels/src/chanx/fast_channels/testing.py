"""Testing consumers of this integration; needs the extra `testing`."""

from chanx.core import _guard as _guard

try:
    from chanx.testing import WebsocketCommunicator as _WebsocketCommunicator
except ImportError as error:
    raise ImportError('Testing needs: pip install "chanx-fastchannels[testing]"') from error

__all__ = ["WebsocketCommunicator"]


class WebsocketCommunicator(_WebsocketCommunicator):
    """One typed WebSocket to a FastAPI, Starlette or any other ASGI application."""
