"""Telling the client of an application error: an exception that answers a message and is no failure."""

from typing import Any

from chanx.core._ports import SendingConsumer
from chanx.core._wire.error_frames import bounded
from chanx.messages.outgoing import ErrorMessage
from chanx.utils.logging import logger

__all__ = ["answer_application_error"]


async def answer_application_error(
    consumer: SendingConsumer, error: Exception, action: Any = None
) -> bool:
    """Send the error frame of an application error, or close as it asks; return False for any other exception."""
    integration = consumer.spec.integration
    items, closing = integration.error_items_of(error), integration.close_of(error)
    if items is None and closing is None:
        return False
    logger.debug("Application error: %r", error, extra={"action": action})
    if items is not None:
        await consumer.send_message(ErrorMessage(payload=bounded(items, len(items))))
    if closing is not None:
        await consumer.close(*closing)
    return True
