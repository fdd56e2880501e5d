# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Direct WebSocket without channel layers"""

from .client import SystemClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["IncomingMessage", "OutgoingMessage", "SystemClient"]
