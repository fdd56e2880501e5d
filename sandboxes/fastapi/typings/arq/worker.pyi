from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from arq.connections import RedisSettings

class Worker:
    def __init__(
        self,
        functions: Sequence[Callable[..., Awaitable[Any]]] = ...,
        *,
        redis_settings: RedisSettings | None = ...,
        burst: bool = ...,
        handle_signals: bool = ...,
        poll_delay: float = ...,
        max_burst_jobs: int = ...,
    ) -> None: ...
    async def async_run(self) -> None: ...
    async def close(self) -> None: ...
