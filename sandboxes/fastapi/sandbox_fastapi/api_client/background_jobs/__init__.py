# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""Real background job processing with ARQ"""

from .client import BackgroundJobsClient
from .messages import IncomingMessage, OutgoingMessage

__all__ = ["BackgroundJobsClient", "IncomingMessage", "OutgoingMessage"]
