"""Pages of rooms."""

from django.contrib.auth.decorators import login_required
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from chat.models import Membership, Role, Room

__all__ = ["room_page", "rooms_page"]

PEOPLE = Prefetch("memberships", Membership.objects.select_related("user"))


def title_of(room: Room, user_id: int | None) -> str:
    """Return what a room is called by one of its members: direct messages by the other's name."""
    if not room.pair:
        return room.name
    others = (member.user for member in room.memberships.all() if member.user_id != user_id)
    other = next(others, None)
    return other.get_username() if other else room.name


@require_safe
@login_required
def rooms_page(request: HttpRequest) -> HttpResponse:
    """List the rooms of a person."""
    mine = Room.objects.filter(members=request.user.pk).prefetch_related(PEOPLE)
    rooms = [{"room": room, "title": title_of(room, request.user.pk)} for room in mine]
    return render(request, "chat/rooms.html", {"rooms": rooms, "nav": "rooms"})


@require_safe
@login_required
def room_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a room to its members."""
    rooms = Room.objects.filter(members=request.user.pk).prefetch_related(PEOPLE)
    room = get_object_or_404(rooms, pk=pk)
    members = list(room.memberships.all())
    own = next(member for member in members if member.user_id == request.user.pk)
    return render(
        request,
        "chat/room.html",
        {
            "nav": "rooms",
            "room": room,
            "title": title_of(room, request.user.pk),
            "members": members,
            "may_manage": own.role in (Role.ADMIN, Role.OWNER) and not room.pair,
        },
    )
