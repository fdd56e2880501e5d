"""From changes of the database to the sockets of a room, whoever made the change.

Sockets are told when the transaction is committed: until then there is nothing to tell.
"""

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from chat.consumers import RoomConsumer
from chat.history import said_payload
from chat.messages import (
    MemberChanged,
    MemberPayload,
    RoomRenamed,
    RoomRenamedPayload,
    Said,
)
from chat.models import Membership, Message, Room

__all__ = ["publish"]


# Any: what signals carry.
@receiver(post_save, sender=Message)
def tell_what_was_said(instance: Message, created: bool, **kwargs: Any) -> None:
    """Tell the room of a new message."""
    if created:
        publish(instance.room, Said(payload=said_payload(instance)))


@receiver(post_save, sender=Room)
def tell_the_name(instance: Room, created: bool, **kwargs: Any) -> None:
    """Tell the room its name."""
    if not created:
        publish(instance, RoomRenamed(payload=RoomRenamedPayload(name=instance.name)))


@receiver(post_save, sender=Membership)
def tell_who_came(instance: Membership, **kwargs: Any) -> None:
    """Tell the room of a new member or another role."""
    publish(instance.room, _member(instance, instance.role))


@receiver(post_delete, sender=Membership)
def tell_who_left(instance: Membership, **kwargs: Any) -> None:
    """Tell the room who is not in it any more."""
    publish(instance.room, _member(instance, None))


def publish(room: Room, event: Said | RoomRenamed | MemberChanged) -> None:
    """Send an event once what it tells of is stored."""
    RoomConsumer.broadcast_on_commit(event, room.group)


def _member(membership: Membership, role: str | None) -> MemberChanged:
    user = membership.user
    return MemberChanged(
        payload=MemberPayload(user_id=user.pk, name=user.get_username(), role=role)
    )
