"""Casting votes."""

from typing import Literal

from django.contrib.auth.models import User
from django.db import transaction

from board.models import Topic, Vote

__all__ = ["cast_vote"]

Value = Literal[-1, 0, 1]


@transaction.atomic
def cast_vote(topic: Topic, user: User, value: Value) -> int:
    """Replace somebody's vote and return the score."""
    if value:
        Vote.objects.update_or_create(topic=topic, user=user, defaults={"value": value})
    else:
        Vote.objects.filter(topic=topic, user=user).delete()
    return topic.total
