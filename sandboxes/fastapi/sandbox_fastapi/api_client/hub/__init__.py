# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Rooms, chat and notifications as topics of one socket"""

from .client import HubClient, RoomTopic, ChatTopic, NotificationTopic
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["ChatTopic", "HubClient", "IncomingMessage", "NotificationTopic", "OutgoingMessage", "RoomTopic"]
