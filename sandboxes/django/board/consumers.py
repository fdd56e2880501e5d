"""The WebSocket of the board: everybody may look on, and who is logged in may vote."""

from channels.db import database_sync_to_async
from rest_framework.permissions import AllowAny, IsAuthenticated

from accounts.consumers import SiteAuthenticator, SiteConsumer
from board.messages import CastVote, PostReply, ReplyPosted, ScoreChanged, TopicPosted
from board.models import Reply, Topic
from board.voting import cast_vote
from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.core.guards import DeniedError
from chanx.core.topic import Topic as Subscription

__all__ = ["BoardConsumer", "DiscussionTopic"]


class OnlookerAuthenticator(SiteAuthenticator):
    """Lets everybody in."""

    permission_classes = (AllowAny,)


class DiscussionTopic(Subscription[ReplyPosted]):
    """The replies to one topic of the board: what a page that shows it subscribes to."""

    pattern = "discussion:{pk}"

    async def authorize(self, pk: int) -> bool:
        """Allow everybody, where there is such a topic."""
        return await Topic.objects.filter(pk=pk).aexists()

    @ws_handler(summary="Reply", guards=[IsAuthenticated])
    async def handle_reply(self, message: PostReply) -> ReplyPosted:
        """Store the reply, of which a signal tells all subscribers, and answer its author."""
        return await self.store(message)

    @database_sync_to_async
    def store(self, message: PostReply) -> ReplyPosted:
        """Store the reply, and return what there is to tell."""
        reply = Reply.objects.create(
            topic_id=self.params["pk"], author=self.scope["user"], text=message.payload.text
        )
        return ReplyPosted.of(reply)

    @event_handler
    async def on_reply(self, event: ReplyPosted) -> ReplyPosted:
        """Pass on a reply."""
        return event


@channel(name="board", tags=["board"])
class BoardConsumer(SiteConsumer[ScoreChanged | TopicPosted | ReplyPosted]):
    """All topics of the board, as they change."""

    authenticator_class = OnlookerAuthenticator
    groups = ["board"]  # noqa: RUF012 - as the base class has it
    topics = [DiscussionTopic]  # noqa: RUF012 - as the base class has it

    @ws_handler(summary="Vote for or against a topic", guards=[IsAuthenticated])
    async def handle_vote(self, message: CastVote) -> None:
        """Count the vote; everybody is told the score."""
        await self.count(message)

    @database_sync_to_async
    def count(self, message: CastVote) -> None:
        """Store the vote."""
        topic = Topic.objects.filter(pk=message.payload.topic_id).first()
        if topic is None:
            raise DeniedError("no_topic", "There is no such topic")
        cast_vote(topic, self.user, message.payload.value)

    @event_handler
    async def on_score(self, event: ScoreChanged) -> ScoreChanged:
        """Pass on a score."""
        return event

    @event_handler
    async def on_topic(self, event: TopicPosted) -> TopicPosted:
        """Pass on a topic."""
        return event

    @event_handler
    async def on_reply(self, event: ReplyPosted) -> ReplyPosted:
        """Pass on a reply."""
        return event
