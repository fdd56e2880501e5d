"""Where answers come from: a few paragraphs about this project, chosen by the words of the question.

The same question always has the same answer. Put a real service behind `pieces()` to get a real assistant.
"""

import re
from collections.abc import Iterator

__all__ = ["answer_to", "pieces"]

PARAGRAPHS = {
    ("room", "chat", "group", "member"): (
        "A room is a group of the channel layer. Its WebSocket lets members in by the permission classes of the REST "
        "API, and every message that is stored, over a socket or over HTTP, is told to everybody in it once its "
        "transaction is committed."
    ),
    ("vote", "board", "topic", "score"): (
        "The board is open to everybody. Votes are guarded: a permission class is asked before each of them, so who "
        "is not logged in may look on and nothing else. Scores reach all open pages as events."
    ),
    ("token", "jwt", "login", "session", "authenticate"): (
        "A connection is authenticated as a request would be: by the session cookie of the site, by a JSON Web Token "
        "in the Authorization header, or by one that a page offers behind the subprotocol bearer. Nobody who is "
        "refused reaches a handler, and the close code says why."
    ),
    ("stream", "piece", "answer", "event"): (
        "This answer comes in pieces. A handler yields them, and each is sent as soon as it is made. Stop cancels the "
        "handler: it ends at once, and what was said until then is stored."
    ),
}
OTHERWISE = (
    "I am a small assistant with a fixed memory. Ask me about rooms, about votes on the board, about logging in with "
    "a session or a token, or about how this answer is streamed to you piece by piece."
)


def answer_to(question: str) -> str:
    """Return the paragraph that shares most words with the question."""
    asked = re.findall(r"[a-z]+", question.lower())

    def shared(words: tuple[str, ...]) -> int:
        return sum(any(word.startswith(known) for word in asked) for known in words)

    best = max(PARAGRAPHS, key=shared)
    return PARAGRAPHS[best] if shared(best) else OTHERWISE


def pieces(question: str) -> Iterator[str]:
    """Yield the answer word by word, each with the space behind it."""
    yield from re.findall(r"\S+\s*", answer_to(question))
