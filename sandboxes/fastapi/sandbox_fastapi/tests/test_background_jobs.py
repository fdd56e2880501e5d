"""Background jobs, through a real ARQ worker."""

from collections.abc import AsyncIterator
from importlib.metadata import version
from typing import cast

import pytest
from arq import Worker  # pyright: ignore[reportMissingModuleSource] # a group of its own
from arq.connections import (  # pyright: ignore[reportMissingModuleSource] # a group of its own
    RedisSettings,
)

from chanx.constants import EVENT_ACTION_COMPLETE
from chanx.testing import WebsocketCommunicator
from sandbox_fastapi import tasks
from sandbox_fastapi.apps.background_jobs.consumer import BackgroundJobConsumer
from sandbox_fastapi.apps.background_jobs.messages import (
    JobMessage,
    JobPayload,
    JobResult,
    JobStatusMessage,
)
from sandbox_fastapi.layers import close_layers, setup_layers
from sandbox_fastapi.main import app
from sandbox_fastapi.tasks import JobQueueError, analyze, queue_job, translate
from sandbox_fastapi.tests.support import free_port

# arq closes its pool by the name that redis-py has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:Call to deprecated close:DeprecationWarning")


@pytest.fixture
async def bg_worker(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Worker]:
    """A worker that does what is queued, and then ends."""
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setattr(tasks, "TRANSLATING", 0.01)
    monkeypatch.setattr(tasks, "ANALYZING", 0.01)
    setup_layers(redis_url)
    worker = Worker(
        [translate, analyze],
        redis_settings=RedisSettings.from_dsn(redis_url),
        burst=True,
        handle_signals=False,
        poll_delay=0.01,
    )
    yield worker
    await worker.close()
    await close_layers()
    setup_layers(None)


def connection() -> WebsocketCommunicator:
    """Return a client of the jobs that has yet to connect."""
    return WebsocketCommunicator(app, "/ws/background_jobs", consumer=BackgroundJobConsumer)


def test_arq_is_a_current_one() -> None:
    """A resolution with a current redis would fall back to an arq of years ago, and say nothing."""
    minor = [int(part) for part in version("arq").split(".")[:2]]

    assert minor >= [0, 26]
    assert int(version("redis").split(".")[0]) < 6


async def test_job_success(bg_worker: Worker) -> None:
    """The documented example: queued at once, done by the worker, answered by an event."""
    async with WebsocketCommunicator(
        app, "/ws/background_jobs", consumer=BackgroundJobConsumer
    ) as comm:
        # Skip connection message
        await comm.receive_all_messages(stop_action="job_status")

        # Send job message
        job_message = JobMessage(payload=JobPayload(type="translate", content="hello"))
        await comm.send_message(job_message)

        # Receive queuing and queued messages
        replies = await comm.receive_all_messages()
        assert len(replies) == 2
        assert replies[0].payload["status"] == "queuing"
        assert replies[1].payload["status"] == "queued"

        # Process with real ARQ worker
        await bg_worker.async_run()

        # Receive job result
        results = await comm.receive_all_messages(stop_action=EVENT_ACTION_COMPLETE)
        translated_result = cast(JobStatusMessage, results[0])
        assert "Translated: 'hello' → 'hola'" in translated_result.payload.get("message", "")


@pytest.mark.parametrize(
    ("job", "result"),
    [
        (JobPayload(type="translate", content="Grace"), "'Grace' → '[TRANSLATED: Grace]'"),
        (JobPayload(type="analyze", content="three short words"), "17 chars, 3 words"),
    ],
    ids=["unknown-word", "analyze"],
)
async def test_results(bg_worker: Worker, job: JobPayload, result: str) -> None:
    """Each kind of job, with its id told beforehand."""
    async with connection() as comm:
        await comm.receive_all_messages(stop_action="job_status")
        await comm.send_message(JobMessage(payload=job))
        queued = (await comm.receive_all_messages())[-1]
        await bg_worker.async_run()
        (answer,) = await comm.receive_all_messages(stop_action=EVENT_ACTION_COMPLETE)

    assert queued.payload["job_id"].startswith(f"{job.type}_")
    assert answer.payload["status"] == "result"
    assert result in answer.payload["message"]


async def test_results_reach_whoever_asked(bg_worker: Worker) -> None:
    """Of two clients, each gets its own; jobs have ids of their own."""
    async with connection() as ada, connection() as grace:
        ids: list[str] = []
        for client, word in ((ada, "hello"), (grace, "world")):
            await client.receive_all_messages(stop_action="job_status")
            await client.send_message(
                JobMessage(payload=JobPayload(type="translate", content=word))
            )
            ids.append((await client.receive_all_messages())[-1].payload["job_id"])
        await bg_worker.async_run()
        results = [
            (await client.receive_all_messages(stop_action=EVENT_ACTION_COMPLETE))[0]
            for client in (ada, grace)
        ]

    assert len(set(ids)) == 2
    assert "'hola'" in results[0].payload["message"]
    assert "'mundo'" in results[1].payload["message"]
    assert len(results) == 2


async def test_the_worker_returns_what_it_did(redis_url: str, bg_worker: Worker) -> None:
    """For arq's own record of the job, whoever listens."""
    assert await analyze({}, "a1", "one two", "nobody.listens") == {
        "status": "completed",
        "result": "📊 Analysis: 7 chars, 2 words",
        "job_id": "a1",
    }


async def test_without_redis_there_are_no_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told so, and may go on."""
    monkeypatch.delenv("REDIS_URL", raising=False)
    async with connection() as comm:
        await comm.receive_all_messages(stop_action="job_status")
        await comm.send_message(JobMessage(payload=JobPayload(type="analyze", content="x")))
        replies = await comm.receive_all_messages()

    assert [reply.payload["status"] for reply in replies] == ["queuing", "failed"]
    with pytest.raises(JobQueueError, match="REDIS_URL is not set"):
        await queue_job("analyze", "x", "nobody")


async def test_a_redis_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of the queue, not of a library below it."""
    monkeypatch.setenv("REDIS_URL", f"redis://127.0.0.1:{free_port()}/0")

    with pytest.raises(JobQueueError, match="ConnectionError"):
        await queue_job("analyze", "x", "nobody")


async def test_events_of_jobs_are_typed() -> None:
    """What the worker sends is validated like any message."""
    assert BackgroundJobConsumer.spec.handlers.events["job_result"].input_type is JobResult
