"""Topics, replies and votes."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Count, F, IntegerField, OuterRef, Subquery, Sum
from django.db.models.functions import Coalesce

__all__ = ["Reply", "Topic", "Vote"]

MAX_TITLE_LENGTH = 120
MAX_TEXT_LENGTH = 4000


class TopicQuerySet(models.QuerySet["Topic"]):
    """Topics with what their votes and replies add up to."""

    def counted(self) -> "TopicQuerySet":
        """Add `score` and `replies_count`."""
        votes = Vote.objects.filter(topic=OuterRef("pk")).order_by().values("topic")
        total = votes.annotate(total=Sum("value")).values("total")
        score = Coalesce(Subquery(total, output_field=IntegerField()), 0)
        return self.annotate(score=score, replies_count=Count("replies"))

    def best_first(self) -> "TopicQuerySet":
        """Sort by score, newer topics first among equals."""
        return self.counted().order_by(F("score").desc(), "-pk")


class Topic(models.Model):
    """Something to discuss."""

    title = models.CharField(max_length=MAX_TITLE_LENGTH)
    text = models.TextField(max_length=MAX_TEXT_LENGTH, blank=True)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="topics")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TopicQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    @property
    def total(self) -> int:
        """What its votes add up to now."""
        total: int | None = self.votes.aggregate(total=Sum("value"))["total"]
        return total or 0


class Reply(models.Model):
    """What somebody has to say about a topic."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="replies")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="replies")
    text = models.TextField(max_length=MAX_TEXT_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In their order."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.text[:40]


class Vote(models.Model):
    """One person's opinion of a topic: 1 or -1."""

    topic = models.ForeignKey(Topic, models.CASCADE, related_name="votes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="votes")
    value = models.SmallIntegerField()

    class Meta:
        """Everybody has one vote."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["topic", "user"], name="one_vote_each"),
            models.CheckConstraint(condition=models.Q(value__in=[-1, 1]), name="up_or_down"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.value:+d}"
