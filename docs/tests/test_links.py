"""Links between the Markdown files of the repository lead to a file that is there, and to a heading in it."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "packages/*/*.md", "sandboxes/*/*.md")
    for path in ROOT.glob(pattern)
    if "generated" not in path.parts
)


@cache
def tokens(page: Path) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse(page.read_text(encoding="utf-8"))


def links(page: Path) -> Iterator[str]:
    for token in tokens(page):
        for part in token.children or ():
            target = part.attrGet("href") or part.attrGet("src")
            if target is not None:
                yield str(target)


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors of the headings as GitHub and the site spell them."""
    found = zip(tokens(page), tokens(page)[1:], strict=False)
    texts = [plain(inline) for opening, inline in found if opening.type == "heading_open"]
    return frozenset(re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts)


def plain(inline: Token) -> str:
    return "".join(part.content for part in inline.children or ())


def dead(page: Path, link: str) -> bool:
    target, _, anchor = link.partition("#")
    path = (page.parent / target).resolve() if target else page
    return not path.exists() or bool(anchor and anchor not in anchors(path))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    inside = [link for link in links(page) if not re.match(r"[a-z]+:", link)]

    assert [link for link in inside if dead(page, link)] == []


def test_dead_links_are_found() -> None:
    page = ROOT / "docs" / "index.md"

    assert "installation.md" in list(links(page))
    assert dead(page, "nothing.md")
    assert dead(page, "installation.md#nothing")
    assert not dead(page, "installation.md#the-five-packages")
