"""The database of the project."""

from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

__all__ = ["database"]


def database(url: str, pool_size: str) -> dict[str, Any]:
    """Return the setting of a database; with a size PostgreSQL gets a pool of so many connections."""
    found: dict[str, Any] = {**dj_database_url.parse(url, conn_health_checks=True)}
    if pool_size:
        pool = {"min_size": 1, "max_size": _checked(pool_size, found["ENGINE"])}
        found["OPTIONS"] = {**found.get("OPTIONS", {}), "pool": pool}
    return found


def _checked(pool_size: str, engine: str) -> int:
    if not engine.endswith("postgresql"):
        raise ImproperlyConfigured("DATABASE_POOL needs a DATABASE_URL of PostgreSQL.")
    if not pool_size.isdecimal() or int(pool_size) < 1:
        raise ImproperlyConfigured(
            f"DATABASE_POOL must be a number of connections, and is {pool_size!r}."
        )
    return int(pool_size)
