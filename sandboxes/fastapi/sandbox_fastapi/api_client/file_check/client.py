# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""The client of file_check."""

from collections.abc import Mapping as _Mapping
from typing import Any as _Any
from typing import ClassVar as _ClassVar

from ..base import BaseClient as _BaseClient
from ..base import Stream as _Stream
from ..base import given as _given
from ..shared import messages as _m

__all__ = ["FileCheckClient"]


class FileCheckClient(_BaseClient):
    """A long job with streamed progress"""

    address: _ClassVar[str] = "/ws/file_check"
    discriminator: _ClassVar[str] = "action"
    controls: _ClassVar[_Mapping[str, str]] = {
        "cancel": "cancel",
        "more": "more",
    }
    close_codes: _ClassVar[_Mapping[int, str]] = {
        1000: "stop",
        1001: "again",
        1009: "backoff",
        1011: "backoff",
        1012: "again",
        1013: "backoff",
        4001: "again",
        4008: "again",
        4009: "backoff",
        4011: "backoff",
        4012: "again",
        4013: "backoff",
    }
    heartbeat_interval: _ClassVar[float | None] = 25.0
    token_place: _ClassVar[tuple[str, str]] = ("header", "Authorization")
    incoming: _ClassVar[_Mapping[str, _Any]] = {
        "check_progress": _m.CheckProgressMessage,
        "check_result": _m.CheckResultMessage,
        "complete": _m.CompleteMessage,
        "error": _m.ErrorMessage,
        "pong": _m.PongMessage,
        "resync": _m.ResyncMessage,
    }

    def check_files(self) -> _Stream[_m.CheckProgressMessage | _m.CheckResultMessage]:
        """Check the installed files"""
        return _Stream(self, _m.CheckFilesMessage.model_validate(_given({"action": "check_files"})), 32)

    async def ping(self) -> _m.PongMessage:
        """Check the connection"""
        return await self.send_request(_m.PingMessage.model_validate(_given({"action": "ping"})), _m.PongMessage)
