"""The board in Django's admin."""

from django.contrib import admin

from board.models import Reply, Topic

__all__ = ["TopicAdmin"]


class ReplyInline(admin.TabularInline[Reply, Topic]):
    """The replies, with the topic."""

    model = Reply
    extra = 0


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin[Topic]):
    """Topics and their replies."""

    list_display = ("title", "author", "total", "created_at")
    search_fields = ("title", "text")
    inlines = (ReplyInline,)
