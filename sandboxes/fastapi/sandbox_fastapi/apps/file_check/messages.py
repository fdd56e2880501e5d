"""Messages of the file check."""

from typing import Literal

from pydantic import BaseModel

from chanx.messages.base import BaseMessage

__all__ = [
    "CheckFilesMessage",
    "CheckProgress",
    "CheckProgressMessage",
    "CheckResult",
    "CheckResultMessage",
]


class CheckFilesMessage(BaseMessage):
    """A client asks for a check."""

    action: Literal["check_files"] = "check_files"
    payload: None = None


class CheckProgress(BaseModel):
    """The file that was just checked, and how many of all that makes."""

    file: str
    done: int
    total: int


class CheckProgressMessage(BaseMessage):
    """An item for each file."""

    action: Literal["check_progress"] = "check_progress"
    payload: CheckProgress


class CheckResult(BaseModel):
    """How many files were checked, and which of them are changed or missing."""

    checked: int
    changed: list[str]


class CheckResultMessage(BaseMessage):
    """The last item of a check that was not stopped."""

    action: Literal["check_result"] = "check_result"
    payload: CheckResult
