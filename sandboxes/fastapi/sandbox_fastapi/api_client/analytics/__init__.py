# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Analytics events with reliable delivery"""

from .client import AnalyticsClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["AnalyticsClient", "IncomingMessage", "OutgoingMessage"]
