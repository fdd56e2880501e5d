"""Rooms, who is in them, and what was said."""

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models, transaction

from chanx.utils.groups import safe_group_name

__all__ = ["Membership", "Message", "Role", "Room"]

MAX_NAME_LENGTH = 60
MAX_TEXT_LENGTH = 2000


class Role(models.TextChoices):
    """What a member may do: members talk, admins look after the members, owners also end the room."""

    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"


class Room(models.Model):
    """A group chat, or the direct messages of two people."""

    name = models.CharField(max_length=MAX_NAME_LENGTH)
    # "1-2" for the direct messages of the users 1 and 2, so that there is one such room at most.
    pair = models.CharField(max_length=50, unique=True, null=True, blank=True, editable=False)
    members = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="Membership", related_name="rooms"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """Newest first."""

        ordering: ClassVar = ["-pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def group(self) -> str:
        """The group of the sockets in it."""
        return safe_group_name("room", self.pk)

    @classmethod
    @transaction.atomic
    def opened(cls, name: str, owner: User) -> "Room":
        """Make a room with its owner in it."""
        room = cls.objects.create(name=name)
        Membership.objects.create(room=room, user=owner, role=Role.OWNER)
        return room

    @classmethod
    @transaction.atomic
    def between(cls, one: User, other: User) -> "Room":
        """Return the room of two people's direct messages."""
        first, second = sorted((one.pk, other.pk))
        room, is_new = cls.objects.get_or_create(
            pair=f"{first}-{second}", defaults={"name": "Direct messages"}
        )
        if is_new:
            people = {first, second}
            Membership.objects.bulk_create(Membership(room=room, user_id=pk) for pk in people)
        return room


class Membership(models.Model):
    """One person in one room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=6, choices=Role, default=Role.MEMBER)

    class Meta:
        """A person is in a room once."""

        constraints: ClassVar = [
            models.UniqueConstraint(fields=["room", "user"], name="one_membership_each")
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.room}"


class Message(models.Model):
    """What somebody said in a room."""

    room = models.ForeignKey(Room, models.CASCADE, related_name="messages")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    text = models.CharField(max_length=MAX_TEXT_LENGTH)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """In the order in which they were said."""

        ordering: ClassVar = ["pk"]

    def __str__(self) -> str:
        return self.text[:40]
