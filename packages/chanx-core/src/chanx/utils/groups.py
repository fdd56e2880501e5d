"""Group names made from user data."""

from hashlib import blake2s

from chanx.constants import MAX_GROUP_NAME_LENGTH

__all__ = ["safe_group_name"]

_ALLOWED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-")
_DIGEST_BYTES = 16


def safe_group_name(*parts: object, namespace: str | None = None) -> str:
    """Make one group name from any values, such that different values never share a name.

    Layers take ASCII letters, digits, `-`, `_` and `.` only, in less than 100 characters. Letters, digits and `-`
    stay as they are; every other character becomes its code point in hexadecimal between underscores, and parts
    are joined by `.`. A name that would be too long keeps its beginning and ends in a 128-bit digest of the whole.

    Raises ValueError without any part.
    """
    if not parts:
        raise ValueError("safe_group_name() needs at least one part to make a name from.")
    name = ".".join(_escape(str(part)) for part in parts)
    if namespace is not None:
        # No escaped part is empty, so two dots tell a namespace from a first part.
        name = f"{_escape(namespace)}..{name}"
    if len(name) <= MAX_GROUP_NAME_LENGTH:
        return name
    # An escape always ends in an underscore, so a name that was shortened never equals a whole one.
    ending = f"._{blake2s(name.encode(), digest_size=_DIGEST_BYTES).hexdigest()}"
    return name[: MAX_GROUP_NAME_LENGTH - len(ending)] + ending


def is_group_name(name: object) -> bool:
    """Tell whether channel layers take a name for a group."""
    if not isinstance(name, str) or not 0 < len(name) <= MAX_GROUP_NAME_LENGTH:
        return False
    return _ALLOWED.union("_.").issuperset(name)


def _escape(text: str) -> str:
    return "".join(char if char in _ALLOWED else f"_{ord(char):x}_" for char in text) or "__"
