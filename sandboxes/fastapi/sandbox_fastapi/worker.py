"""The ARQ worker: `arq sandbox_fastapi.worker.WorkerSettings`, with REDIS_URL set."""

from typing import Any, ClassVar

from arq.connections import (  # pyright: ignore[reportMissingModuleSource] # a group of its own
    RedisSettings,
)

from sandbox_fastapi.layers import close_layers, setup_layers
from sandbox_fastapi.settings import Settings
from sandbox_fastapi.tasks import analyze, translate

__all__ = ["WorkerSettings"]

_url = Settings.from_environment().redis_url


# Any: arq's context of the worker.
async def startup(ctx: dict[str, Any]) -> None:
    """Have the layers by which results reach the clients."""
    setup_layers(_url)


async def shutdown(ctx: dict[str, Any]) -> None:
    """Close them."""
    await close_layers()


class WorkerSettings:
    """What `arq` reads."""

    functions: ClassVar = [translate, analyze]
    redis_settings: ClassVar = RedisSettings.from_dsn(_url or "redis://127.0.0.1:6379/0")
    on_startup = startup
    on_shutdown = shutdown
    job_timeout = 60  # seconds
    max_tries = 3
