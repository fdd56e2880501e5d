"""The REST API of the board."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticatedOrReadOnly
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.people import person
from board.models import Reply, Topic
from board.voting import cast_vote

__all__ = ["TopicViewSet"]


class TopicSerializer(serializers.ModelSerializer[Topic]):
    """A topic and what people think of it."""

    author = serializers.CharField(source="author.username", read_only=True)
    score = serializers.IntegerField(read_only=True, default=0)
    replies_count = serializers.IntegerField(read_only=True, default=0)

    class Meta:
        """What the list shows."""

        model = Topic
        fields: ClassVar = [
            "id", "title", "text", "author", "score", "replies_count", "created_at"
        ]  # fmt: skip


class ReplySerializer(serializers.ModelSerializer[Reply]):
    """A reply."""

    author = serializers.CharField(source="author.username", read_only=True)

    class Meta:
        """Text and author."""

        model = Reply
        fields: ClassVar = ["id", "author", "text", "created_at"]


class VoteSerializer(serializers.Serializer[Any]):
    """A vote: 1, -1, or 0 to take it back."""

    value = serializers.ChoiceField([-1, 0, 1])


# Any: the framework's own arguments.
class TopicViewSet(
    mixins.CreateModelMixin,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Topic],
):
    """Topics, best first."""

    serializer_class = TopicSerializer
    permission_classes: Any = (IsAuthenticatedOrReadOnly,)
    queryset = Topic.objects.best_first().select_related("author")

    def perform_create(self, serializer: Any) -> None:
        """Store the topic under the name of whoever wrote it."""
        serializer.save(author=self.request.user)

    @extend_schema(request=VoteSerializer, responses=TopicSerializer)
    @action(detail=True, methods=["post"])
    def vote(self, request: Request, pk: str) -> Response:
        """Vote."""
        topic = self.get_object()
        serializer = VoteSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        score = cast_vote(topic, person(request), serializer.validated_data["value"])
        return Response({**TopicSerializer(topic).data, "score": score})

    @extend_schema(request=ReplySerializer, responses=ReplySerializer(many=True))
    @action(detail=True, methods=["get", "post"], pagination_class=None)
    def replies(self, request: Request, pk: str) -> Response:
        """Return the replies, or reply."""
        topic = self.get_object()
        if request.method == "GET":
            replies = topic.replies.select_related("author")
            return Response(ReplySerializer(replies, many=True).data)
        serializer = ReplySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        serializer.save(topic=topic, author=request.user)
        return Response(serializer.data, status=status.HTTP_201_CREATED)
