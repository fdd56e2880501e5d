"""The consumers on FastAPI: `uvicorn sandbox_servers.on_starlette:application`."""

import os
from typing import Any

from fast_channels.layers import InMemoryChannelLayer, register_channel_layer
from fast_channels.layers.redis import RedisChannelLayer, RedisPubSubChannelLayer
from fastapi import FastAPI

from chanx.fast_channels.routing import add_websocket_consumer
from chanx.fast_channels.websocket import AsyncJsonWebsocketConsumer
from sandbox_servers.consumers import consumers
from sandbox_servers.logs import configure_logging
from sandbox_servers.report import report

__all__ = ["application", "served"]

PREFIX = "starlette"


def _layer(kind: type[Any], url: str) -> Any:
    if not url:
        return InMemoryChannelLayer()
    # From version 8 on redis-py gives up after 5 s of silence, which is no failure on a queue, and refuses
    # more than 100 calls at once.
    host = {"address": url, "socket_timeout": None, "max_connections": 1000}
    return kind(hosts=[host], prefix=PREFIX)


configure_logging()
redis_url = os.environ.get("REDIS_URL", "")
register_channel_layer("queue", _layer(RedisChannelLayer, redis_url))
register_channel_layer("pubsub", _layer(RedisPubSubChannelLayer, redis_url))

application = FastAPI()
served = dict(consumers(AsyncJsonWebsocketConsumer))
for path, consumer in served.items():
    add_websocket_consumer(application, f"/{path}", consumer)


@application.get("/state")
async def state(case: str = "", release: bool = False, mark: str = "") -> dict[str, Any]:
    """Tell what the process is doing."""
    return report(case, release=release, mark=mark)
