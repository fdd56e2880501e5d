"""What was asked and answered."""

from typing import ClassVar

from django.conf import settings
from django.db import models

__all__ = ["Exchange"]

MAX_QUESTION_LENGTH = 500


class Exchange(models.Model):
    """One question and its answer, as far as it was given."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exchanges")
    question = models.CharField(max_length=MAX_QUESTION_LENGTH)
    answer = models.TextField(blank=True)
    was_stopped = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In their order."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.question
