"""Messages of the background jobs."""

from typing import Annotated, Literal, Required

from pydantic import BaseModel, StringConstraints
from typing_extensions import TypedDict

from chanx.messages.base import BaseMessage

__all__ = ["JobMessage", "JobPayload", "JobResult", "JobStatus", "JobStatusMessage"]


class JobPayload(BaseModel):
    """What to do, and with what."""

    type: Literal["translate", "analyze"]
    content: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class JobMessage(BaseMessage):
    """A client asks for a job."""

    action: Literal["job"] = "job"
    payload: JobPayload


class JobStatus(TypedDict, total=False):
    """How far a job is, or that jobs can be asked for."""

    status: Required[Literal["ready", "queuing", "queued", "result", "failed"]]
    job_id: str
    message: str


class JobStatusMessage(BaseMessage):
    """Tells the client how far its job is."""

    action: Literal["job_status"] = "job_status"
    payload: JobStatus


class JobResult(BaseMessage):
    """The event by which the worker hands a result over."""

    action: Literal["job_result"] = "job_result"
    payload: str
