"""Casting votes, and telling everybody what they add up to."""

from typing import Literal

from django.contrib.auth.models import User
from django.db import transaction

from board.consumers import BoardConsumer
from board.messages import (
    ReplyPosted,
    ReplyPostedPayload,
    ScoreChanged,
    ScorePayload,
    TopicPosted,
    TopicPostedPayload,
)
from board.models import Reply, Topic, Vote

__all__ = ["cast_vote", "publish_reply", "publish_topic"]

Value = Literal[-1, 0, 1]


@transaction.atomic
def cast_vote(topic: Topic, user: User, value: Value) -> int:
    """Replace somebody's vote, tell the board, and return the score."""
    if value:
        Vote.objects.update_or_create(topic=topic, user=user, defaults={"value": value})
    else:
        Vote.objects.filter(topic=topic, user=user).delete()
    score = topic.total
    publish(ScoreChanged(payload=ScorePayload(topic_id=topic.pk, score=score)))
    return score


def publish_topic(topic: Topic) -> None:
    """Tell the board of a new topic."""
    payload = TopicPostedPayload(id=topic.pk, title=topic.title, author=topic.author.get_username())
    publish(TopicPosted(payload=payload))


def publish_reply(reply: Reply) -> None:
    """Tell the board of a new reply."""
    payload = ReplyPostedPayload(
        topic_id=reply.topic_id,
        id=reply.pk,
        author=reply.author.get_username(),
        text=reply.text,
        replies_count=reply.topic.replies.count(),
    )
    publish(ReplyPosted(payload=payload))


def publish(event: ScoreChanged | TopicPosted | ReplyPosted) -> None:
    # Robust: a layer that is down is logged, and what was committed has been done all the same.
    transaction.on_commit(lambda: BoardConsumer.broadcast_event_sync(event), robust=True)
