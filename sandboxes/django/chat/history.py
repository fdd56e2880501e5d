"""What was said in a room."""

from chat.messages import HistoryPayload, SaidPayload
from chat.models import Message, Room

__all__ = ["page_before", "said_payload"]

PAGE = 50


def said_payload(message: Message) -> SaidPayload:
    """Describe a stored message."""
    return SaidPayload(
        id=message.pk,
        author=message.author.get_username(),
        text=message.text,
        created_at=message.created_at,
    )


async def page_before(room: Room, before: int | None) -> HistoryPayload:
    """Return the messages before one, or the last ones."""
    messages = Message.objects.filter(room=room).select_related("author").order_by("-pk")
    if before is not None:
        messages = messages.filter(pk__lt=before)
    newest_first = [item async for item in messages[: PAGE + 1]]
    return HistoryPayload(
        messages=[said_payload(item) for item in newest_first[:PAGE][::-1]],
        has_more=len(newest_first) > PAGE,
    )
