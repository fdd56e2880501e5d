"""Rooms in Django's admin."""

from django.contrib import admin

from chat.models import Membership, Message, Room

__all__ = ["MessageAdmin", "RoomAdmin"]


class MembershipInline(admin.TabularInline[Membership, Room]):
    """The members, with the room."""

    model = Membership
    extra = 0
    autocomplete_fields = ("user",)


@admin.register(Room)
class RoomAdmin(admin.ModelAdmin[Room]):
    """Rooms and who is in them."""

    list_display = ("name", "pair", "created_at")
    search_fields = ("name",)
    inlines = (MembershipInline,)


@admin.register(Message)
class MessageAdmin(admin.ModelAdmin[Message]):
    """What was said."""

    list_display = ("text", "author", "room", "created_at")
    list_filter = ("room",)
    search_fields = ("text",)
