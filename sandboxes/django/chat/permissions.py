"""Who may do what in a room: for the REST API, for connections and for single messages."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from chat.models import Membership, Role, Room

__all__ = ["IsAdmin", "IsMember", "IsOwner"]


def role_of(request: Request, room: Room) -> str | None:
    if not request.user.is_authenticated:
        return None
    membership = Membership.objects.filter(room=room, user=request.user).first()
    return membership.role if membership else None


class InRoom(BasePermission):
    """Asks for a role in the room, as it is in the database now."""

    roles: tuple[str, ...] = ()

    # Any: the framework's type of an object.
    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        """Look the role up."""
        return role_of(request, obj) in self.roles


class IsMember(InRoom):
    """Anybody in the room."""

    roles = (Role.MEMBER, Role.ADMIN, Role.OWNER)
    message = "Only members of this room may do this."
    code = "no_member"


class IsAdmin(InRoom):
    """Who looks after its members."""

    roles = (Role.ADMIN, Role.OWNER)
    message = "Only admins of this room may do this."
    code = "no_admin"


class IsOwner(InRoom):
    """Who made it."""

    roles = (Role.OWNER,)
    message = "Only the owner of this room may do this."
    code = "no_owner"
