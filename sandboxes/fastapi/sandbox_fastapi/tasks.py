"""Background jobs: what the ARQ worker runs, and how a job is queued.

arq asks for redis < 6, so it is installed by the group `jobs` only, and imported only where a job is queued.
"""

import asyncio
from typing import Any, Literal
from uuid import uuid4

from redis.exceptions import RedisError

from sandbox_fastapi.apps.background_jobs.messages import JobResult
from sandbox_fastapi.apps.showcase.messages import NotificationPayload
from sandbox_fastapi.settings import Settings

__all__ = ["JobQueueError", "analyze", "queue_job", "translate"]

Outcome = dict[str, str]

TRANSLATIONS = {"hello": "hola", "world": "mundo", "good morning": "buenos días", "cat": "gato"}
# What the services that these jobs stand for would take, in seconds.
TRANSLATING, ANALYZING = 2.0, 3.0


class JobQueueError(Exception):
    """A job cannot be queued; the text says why."""


async def queue_job(
    job_type: Literal["translate", "analyze"], content: str, channel_name: str
) -> str:
    """Queue a job whose result goes to a channel, and return its id.

    A pool for each job keeps this short; keep one in the application's lifespan where jobs are many.
    Raises JobQueueError.
    """
    try:
        from arq.connections import (  # pyright: ignore[reportMissingModuleSource] # a group of its own
            RedisSettings,
            create_pool,
        )
    except ImportError:
        raise JobQueueError("arq is not installed: run with --group jobs") from None
    url = Settings.from_environment().redis_url
    if url is None:
        raise JobQueueError("REDIS_URL is not set: jobs need a Redis server")
    settings = RedisSettings.from_dsn(url)
    settings.conn_retries = 1  # the client is waiting
    job_id = f"{job_type}_{uuid4().hex[:12]}"
    try:
        redis = await create_pool(settings)
    except (RedisError, OSError) as error:
        raise JobQueueError(repr(error)) from error
    try:
        job = await redis.enqueue_job(job_type, job_id, content, channel_name, _job_id=job_id)
        return job.job_id if job else job_id
    finally:
        await redis.aclose()


# Any: arq's context of a job, in which the worker's start-up may leave what jobs need.
async def translate(ctx: dict[str, Any], job_id: str, content: str, channel_name: str) -> Outcome:
    """Translate into Spanish, as far as the dictionary goes."""
    await asyncio.sleep(TRANSLATING)
    translated = TRANSLATIONS.get(content.lower(), f"[TRANSLATED: {content}]")
    result = f"🌍 Translated: '{content}' → '{translated}'"
    await _send_result_to_client(channel_name, result)
    return {"status": "completed", "result": result, "job_id": job_id}


async def analyze(ctx: dict[str, Any], job_id: str, content: str, channel_name: str) -> Outcome:
    """Count characters and words."""
    await asyncio.sleep(ANALYZING)
    result = f"📊 Analysis: {len(content)} chars, {len(content.split())} words"
    await _send_result_to_client(channel_name, result)
    return {"status": "completed", "result": result, "job_id": job_id}


async def _send_result_to_client(channel_name: str, message: str) -> None:
    """Hand a result to the consumer that listens on the channel, and notify every page, whichever process they use."""
    from sandbox_fastapi.apps.background_jobs.consumer import BackgroundJobConsumer
    from sandbox_fastapi.apps.hub.topics import NotificationTopic

    await NotificationTopic.notify(NotificationPayload(message="A background job is done"))
    await BackgroundJobConsumer.send_event(JobResult(payload=message), channel_name)
