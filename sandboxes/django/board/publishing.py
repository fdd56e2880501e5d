"""From changes of the database to the sockets of the board, whoever made the change.

Sockets are told when the transaction is committed: until then there is nothing to tell.
"""

from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from board.consumers import BoardConsumer, DiscussionTopic
from board.messages import (
    ReplyPosted,
    ScoreChanged,
    ScorePayload,
    TopicPosted,
    TopicPostedPayload,
)
from board.models import Reply, Topic, Vote

__all__ = ["publish"]


# Any: what signals carry.
@receiver([post_save, post_delete], sender=Vote)
def tell_the_score(instance: Vote, **kwargs: Any) -> None:
    """Tell the board what the votes of a topic add up to."""
    topic = instance.topic
    publish(ScoreChanged(payload=ScorePayload(topic_id=topic.pk, score=topic.total)))


@receiver(post_save, sender=Topic)
def tell_of_a_topic(instance: Topic, created: bool, **kwargs: Any) -> None:
    """Tell the board of a new topic."""
    if created:
        author = instance.author.get_username()
        payload = TopicPostedPayload(id=instance.pk, title=instance.title, author=author)
        publish(TopicPosted(payload=payload))


@receiver(post_save, sender=Reply)
def tell_of_a_reply(instance: Reply, created: bool, **kwargs: Any) -> None:
    """Tell the board, and those who look at the discussion, of a new reply."""
    if created:
        event = ReplyPosted.of(instance)
        publish(event)
        name = f"discussion:{instance.topic_id}"
        transaction.on_commit(lambda: DiscussionTopic.broadcast_sync(name, event), robust=True)


def publish(event: ScoreChanged | TopicPosted | ReplyPosted) -> None:
    """Send an event once what it tells of is stored."""
    BoardConsumer.broadcast_on_commit(event)
