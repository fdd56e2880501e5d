"""Background jobs: queued at once, done by an ARQ worker, answered by an event."""

from chanx.core.decorators import channel, event_handler, ws_handler
from chanx.utils.logging import logger
from sandbox_fastapi.apps.background_jobs.messages import JobMessage, JobResult, JobStatusMessage
from sandbox_fastapi.base_consumer import BaseConsumer
from sandbox_fastapi.tasks import JobQueueError, queue_job

__all__ = ["BackgroundJobConsumer"]


@channel(name="background_jobs", description="Real background job processing with ARQ")
class BackgroundJobConsumer(BaseConsumer[JobResult]):
    """Takes jobs, and streams their results back to whoever asked for them."""

    channel_layer_alias = "chat"

    async def post_authentication(self) -> None:
        """Tell the client that jobs can be asked for."""
        await self.send_message(
            JobStatusMessage(payload={"status": "ready", "message": "Ask for a job"})
        )

    @ws_handler(summary="Ask for a job", output_type=JobStatusMessage)
    async def handle_job(self, message: JobMessage) -> JobStatusMessage:
        """Queue a job; the worker sends its result to this connection's channel."""
        job = message.payload
        await self.send_message(
            JobStatusMessage(payload={"status": "queuing", "message": f"Queuing: {job.type}"})
        )
        try:
            job_id = await queue_job(job.type, job.content, self.channel_name)
        except JobQueueError as error:
            logger.error("A job could not be queued: %s", error)
            return JobStatusMessage(
                payload={"status": "failed", "message": "Jobs cannot be queued at the moment."}
            )
        return JobStatusMessage(payload={"status": "queued", "job_id": job_id})

    @event_handler
    async def handle_job_result(self, event: JobResult) -> JobStatusMessage:
        """Pass the worker's result on."""
        return JobStatusMessage(payload={"status": "result", "message": event.payload})
