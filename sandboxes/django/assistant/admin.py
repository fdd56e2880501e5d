"""Questions and answers in Django's admin."""

from django.contrib import admin

from assistant.models import Exchange

__all__ = ["ExchangeAdmin"]


@admin.register(Exchange)
class ExchangeAdmin(admin.ModelAdmin[Exchange]):
    """Who asked what."""

    list_display = ("question", "user", "was_stopped", "created_at")
    list_filter = ("was_stopped",)
