"""Writing HTML: whatever is put in is escaped unless it was written here."""

from html import escape
from typing import Any

__all__ = ["Html", "element", "joined"]


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def joined(*parts: Any) -> Html:
    """Put parts side by side: HTML as it is, other text escaped, None left out."""
    return Html(
        "".join(p if isinstance(p, Html) else escape(str(p)) for p in parts if p is not None)
    )


def element(tag: str, *children: Any, **attributes: str | bool | None) -> Html:
    """Write one element; `class_` is `class`, True stands for an attribute without value."""
    written = "".join(
        f" {_spelled(name)}" if value is True else f' {_spelled(name)}="{escape(str(value))}"'
        for name, value in attributes.items()
        if value not in (None, False)
    )
    return Html(f"<{tag}{written}>{joined(*children)}</{tag}>")


def _spelled(name: str) -> str:
    return name.rstrip("_").replace("_", "-")
