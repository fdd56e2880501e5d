"""The desks of the newsroom: a topic for each, on the sockets of both sides."""

from typing import Literal

from chanx.core.decorators import event_handler, ws_handler
from chanx.core.topic import Topic
from sandbox_mixed.messages import Headline, News, NewsPayload, Report

__all__ = ["Desk", "DeskTopic"]

Desk = Literal["sports", "weather"]


class DeskTopic(Topic[Headline | News]):
    """News of one desk. The module knows neither framework."""

    pattern = "desk:{desk}"
    # Both sides of one process have a layer, and one of them is enough: they are on one Redis with one prefix.
    integration = "channels"

    async def authorize(self, desk: Desk) -> bool:
        """Allow everybody whom the side has let in."""
        return True

    @ws_handler
    async def handle_report(self, message: Report) -> News:
        """Tell the other subscribers, on both sides and in every process."""
        is_django = type(self.consumer).__module__.endswith("django_side")
        news = News(
            payload=NewsPayload(
                news_text=message.payload.news_text,
                reporter_name=self.scope["user"].get_username(),
                sent_from="django" if is_django else "fastapi",
            )
        )
        await self.broadcast(news, exclude_current=True)
        return news

    @event_handler
    async def on_news(self, event: News) -> News:
        """Pass on what another reporter has."""
        return event

    @event_handler
    async def on_headline(self, event: Headline) -> Headline:
        """Pass on what came in over HTTP, in any process."""
        return event
