# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Notifications in a namespace of their own"""

from .client import NotificationsClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["IncomingMessage", "NotificationsClient", "OutgoingMessage"]
