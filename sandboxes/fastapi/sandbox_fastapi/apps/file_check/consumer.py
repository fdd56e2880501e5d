"""The file check: a handler that yields its progress."""

import asyncio
from collections.abc import AsyncIterator

from chanx.core.decorators import channel, ws_handler
from chanx.utils.logging import logger
from sandbox_fastapi.apps.file_check.files import is_as_installed, recorded_files
from sandbox_fastapi.apps.file_check.messages import (
    CheckFilesMessage,
    CheckProgress,
    CheckProgressMessage,
    CheckResult,
    CheckResultMessage,
)
from sandbox_fastapi.base_consumer import BaseConsumer

__all__ = ["FileCheckConsumer"]


@channel(name="file_check", description="A long job with streamed progress")
class FileCheckConsumer(BaseConsumer):
    """Checks the installed packages. The client stops a check by `cancel` with the `ref` of its request."""

    @ws_handler(summary="Check the installed files")
    async def handle_check(
        self, _message: CheckFilesMessage
    ) -> AsyncIterator[CheckProgressMessage | CheckResultMessage]:
        """Yield after each file, and the result at the end."""
        files = await asyncio.to_thread(recorded_files)
        changed: list[str] = []
        done, total = 0, len(files)
        try:
            for file in files:
                if not await asyncio.to_thread(is_as_installed, file):
                    changed.append(str(file))
                done += 1
                yield CheckProgressMessage(
                    payload=CheckProgress(file=str(file), done=done, total=total)
                )
            yield CheckResultMessage(payload=CheckResult(checked=done, changed=changed))
        finally:
            # Also when the client cancels or disconnects: the generator is closed at its `yield` or `await`.
            if done < total:
                logger.warning("The file check was stopped after %d of %d files", done, total)
