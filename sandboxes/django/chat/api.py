"""The REST API of rooms. What it changes reaches the sockets, as every change does."""

from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.people import person
from chat.models import Membership, Message, Role, Room
from chat.permissions import IsAdmin, IsMember, IsOwner

__all__ = ["DirectView", "RoomViewSet"]


class RoomSerializer(serializers.ModelSerializer[Room]):
    """A room."""

    is_direct = serializers.BooleanField(source="pair", read_only=True)

    class Meta:
        """Name and number."""

        model = Room
        fields: ClassVar = ["id", "name", "is_direct", "created_at"]


class MessageSerializer(serializers.ModelSerializer[Message]):
    """What was said."""

    author = serializers.CharField(source="author.username", read_only=True)

    class Meta:
        """Text and author."""

        model = Message
        fields: ClassVar = ["id", "author", "text", "created_at"]


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    """A member, named by the name of its account."""

    username = serializers.SlugRelatedField(
        source="user", slug_field="username", queryset=User.objects.all()
    )
    role = serializers.ChoiceField([Role.ADMIN, Role.MEMBER], default=Role.MEMBER)

    class Meta:
        """Who and as what."""

        model = Membership
        fields: ClassVar = ["username", "role"]


class PersonSerializer(serializers.Serializer[User]):
    """Somebody, by the name of the account."""

    username = serializers.SlugRelatedField(slug_field="username", queryset=User.objects.all())


# Any: the framework's own arguments.
class RoomViewSet(viewsets.ModelViewSet[Room]):
    """The rooms of the person who asks."""

    serializer_class = RoomSerializer
    permission_classes: Any = (IsAuthenticated, IsMember)
    queryset = Room.objects.all()

    def get_permissions(self) -> Any:
        """Ask for the role that an action needs."""
        needed = {"update": IsAdmin, "partial_update": IsAdmin, "destroy": IsOwner}
        if self.action == "members" and self.request.method == "POST":
            return [IsAuthenticated(), IsAdmin()]
        return [IsAuthenticated(), needed.get(self.action, IsMember)()]

    def get_queryset(self) -> QuerySet[Room]:
        """List the rooms one is in; any room may be asked for by its number, and is then refused by its permissions."""
        rooms = Room.objects.all()
        return rooms.filter(members=self.request.user.pk) if self.action == "list" else rooms

    def perform_create(self, serializer: Any) -> None:
        """Make the person who asks the owner."""
        serializer.instance = Room.opened(serializer.validated_data["name"], person(self.request))

    @extend_schema(request=MessageSerializer, responses=MessageSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def messages(self, request: Request, pk: str) -> Response:
        """Return what was said, or say something."""
        room = self.get_object()
        if request.method == "GET":
            said = room.messages.select_related("author")
            return Response(MessageSerializer(said, many=True).data)
        serializer = MessageSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(room=room, author=request.user)
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=MembershipSerializer, responses=MembershipSerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def members(self, request: Request, pk: str) -> Response:
        """Return who is in the room, or bring somebody in."""
        room = self.get_object()
        if request.method == "GET":
            members = room.memberships.select_related("user")
            return Response(MembershipSerializer(members, many=True).data)
        if room.pair:
            raise PermissionDenied("Direct messages are between two people.")
        serializer = MembershipSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        found = serializer.validated_data
        if Membership.objects.filter(room=room, user=found["user"], role=Role.OWNER).exists():
            raise PermissionDenied("An owner stays an owner.")
        Membership.objects.update_or_create(
            room=room, user=found["user"], defaults={"role": found["role"]}
        )
        return Response(serializer.data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path="members/(?P<username>[^/]+)")
    def member(self, request: Request, pk: str, username: str) -> Response:
        """Put somebody out, or leave."""
        room = self.get_object()
        membership = room.memberships.filter(user__username=username).first()
        if membership is None:
            raise Http404
        is_own = membership.user_id == request.user.pk
        if not is_own and not IsAdmin().has_object_permission(request, self, room):
            raise PermissionDenied(IsAdmin.message, IsAdmin.code)
        if membership.role == Role.OWNER:
            raise PermissionDenied("An owner cannot leave the room, only end it.")
        membership.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)


class DirectView(APIView):
    """Direct messages with somebody."""

    @extend_schema(request=PersonSerializer, responses=RoomSerializer)
    def post(self, request: Request) -> Response:
        """Return the room of the two."""
        serializer = PersonSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        other = serializer.validated_data["username"]
        if other.pk == request.user.pk:
            raise serializers.ValidationError({"username": ["That is you."]})
        return Response(RoomSerializer(Room.between(person(request), other)).data)
