"""Pages of the board."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from board.models import Topic, Vote

__all__ = ["board_page", "topic_page"]


def votes_of(request: HttpRequest) -> dict[int, int]:
    """Return a person's votes by topic."""
    if not request.user.is_authenticated:
        return {}
    votes = Vote.objects.filter(user=request.user)
    return dict(votes.values_list("topic_id", "value"))


@require_safe
def board_page(request: HttpRequest) -> HttpResponse:
    """List the topics, best first."""
    own = votes_of(request)
    topics = Topic.objects.best_first().select_related("author")[:100]
    rows = [{"topic": topic, "own": own.get(topic.pk, 0)} for topic in topics]
    return render(request, "board/board.html", {"rows": rows, "nav": "board"})


@require_safe
def topic_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a topic with its replies."""
    topic = get_object_or_404(Topic.objects.counted().select_related("author"), pk=pk)
    row = {"topic": topic, "own": votes_of(request).get(topic.pk, 0)}
    replies = topic.replies.select_related("author")
    return render(request, "board/topic.html", {"row": row, "replies": replies, "nav": "board"})
