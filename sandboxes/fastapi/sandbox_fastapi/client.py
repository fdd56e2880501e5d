"""Chat from a terminal.

    python sandbox_fastapi/client.py ROOM --name ada [--url ws://127.0.0.1:8080]

Every line that is typed, or piped in, is sent as one typed message; what the room says is printed.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

HERE = Path(__file__).resolve().parent
if not __package__:
    # Started as a script: Python looks for modules beside it, but the package is one folder up.
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry) != HERE)]

from pydantic import BaseModel, ValidationError  # noqa: E402
from websockets.asyncio.client import ClientConnection, connect  # noqa: E402
from websockets.exceptions import (  # noqa: E402
    ConnectionClosed,
    InvalidHandshake,
    InvalidStatus,
)

from chanx.messages.incoming import PingMessage  # noqa: E402
from sandbox_fastapi.apps.room_chat.messages import (  # noqa: E402
    RoomChatMessage,
    RoomMessagePayload,
    RoomNotificationMessage,
    RoomNotificationPayload,
)

__all__ = ["main"]

OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
# How long the end of input waits for the answers to what was said last.
ANSWER_TIMEOUT = 5.0
LINES_READ_AHEAD = 100


def main(arguments: Sequence[str] | None = None) -> int:
    """Chat until the input ends, Ctrl+C, or the server closes; return the exit code."""
    options = _parse(arguments)
    try:
        return asyncio.run(_chat(options))
    except KeyboardInterrupt:
        _say(f"\nYou left {options.room}.")
        return 0
    except BrokenPipeError:
        # Nobody reads what we print any more, nor what Python would flush at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Chat in a room from a terminal.")
    parser.add_argument("room", help="the room to join")
    parser.add_argument("--name", default="", help="what the others see (made up when left out)")
    parser.add_argument(
        "--url", default="ws://127.0.0.1:8080", type=_url, help="the server (%(default)s)"
    )
    parser.add_argument(
        "--path",
        default="/ws/room/{room}",
        help="path of a room on it (%(default)s); the Django sandbox has /ws/room/{room}/",
    )
    return parser.parse_args(arguments)


def _url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("ws", "wss") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is no number, brackets that do not close
        usable = False
    if not usable:
        raise argparse.ArgumentTypeError(f"write it like ws://127.0.0.1:8080, not {text!r}")
    return text.rstrip("/")


async def _chat(options: argparse.Namespace) -> int:
    path = str(options.path).replace("{room}", quote(options.room, safe=""))
    query = "?" + urlencode({"name": options.name}) if options.name else ""
    try:
        async with connect(
            options.url + path + query,
            open_timeout=OPEN_TIMEOUT,
            close_timeout=CLOSE_TIMEOUT,
            proxy=None,
        ) as connection:
            return await Conversation(connection, printable(options.room)).run()
    except InvalidStatus as error:
        return _fail(f"{options.url} refused the room (HTTP {error.response.status_code}).")
    except InvalidHandshake:
        return _fail(f"{options.url} does not answer like a WebSocket server.")
    except TimeoutError:
        return _fail(f"{options.url} did not answer within {OPEN_TIMEOUT:g} s.")
    except BrokenPipeError:  # of our output, not of the connection
        raise
    except OSError as error:
        return _fail(f"Cannot reach {options.url} ({_reason(error)}); is the server running?")


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) and error.strerror:
        return error.strerror.lower()
    if error.errno is None:  # several addresses were tried
        return "no connection"
    return os.strerror(error.errno).lower()


class Problem(BaseModel):
    """What is wrong with one place of a message."""

    msg: str
    loc: list[str | int] = []

    def describe(self) -> str:
        """Say it in one line."""
        place = ".".join(str(step) for step in self.loc)
        return f"{place}: {self.msg}" if place else self.msg


class Failure(BaseModel):
    """A message that was fine, and could not be handled."""

    detail: str


class ErrorFrame(BaseModel):
    """The answer to a message that had no effect."""

    payload: list[Problem] | Failure


class Conversation:
    """One connection: listens and speaks at once, and ends when either does."""

    def __init__(self, connection: ClientConnection, room: str) -> None:
        self._connection = connection
        self._room = room
        self._joined = asyncio.Event()
        # Messages of ours that the server has neither passed on nor refused yet.
        self._unanswered = 0
        self._all_answered = asyncio.Event()
        self._all_answered.set()

    async def run(self) -> int:
        """Return the exit code."""
        listening = asyncio.create_task(self._listen())
        speaking = asyncio.create_task(self._speak())
        try:
            await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            code = listening.result() if listening.done() else speaking.result()
        finally:
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)
        return code

    async def _listen(self) -> int:
        """Show what arrives until the server closes."""
        try:
            # The server answers messages once the room is joined, so the answer tells when that is.
            await self._connection.send(PingMessage().model_dump_json())
            while True:
                self._show(await self._connection.recv(decode=False))
        except ConnectionClosed as error:
            return _fail(f"The server closed the connection ({_describe_close(error)}).")

    async def _speak(self) -> int:
        """Send what is typed until the input ends and all of it is answered."""
        await self._joined.wait()
        try:
            async for line in typed_lines():
                await self._send(line)
        except ConnectionClosed:
            await asyncio.Future[None]()  # _listen() reports it
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_TIMEOUT):
                await self._all_answered.wait()
        _say(f"You left {self._room}.")
        return 0

    async def _send(self, line: str) -> None:
        if not line.strip():
            return
        try:
            message = RoomChatMessage(payload=RoomMessagePayload(message=line))
        except ValidationError as error:
            _say(f"! not sent: {error.errors()[0]['msg']}")
            return
        self._unanswered += 1
        self._all_answered.clear()
        await self._connection.send(message.model_dump_json())

    def _show(self, data: bytes) -> None:
        try:
            frame = json.loads(data)
            self._show_frame(frame["action"], frame)
        except (ValueError, KeyError, TypeError):
            _say("? something that is no message of this chat")

    def _show_frame(self, action: str, frame: dict[str, Any]) -> None:
        if action == "pong":
            _say(f"You joined {self._room}. Type a line to say it; Ctrl+D or Ctrl+C leaves.")
            self._joined.set()
        elif action == "error":
            _say(f"! {printable(describe_error(frame))}")
            self._count_answer()
        elif action == "room_notification":
            payload = RoomNotificationMessage.model_validate(frame).payload
            self._show_notification(payload, ours=frame.get("is_current") is True)
        # The completion frames tell a person nothing.

    def _show_notification(self, payload: RoomNotificationPayload, *, ours: bool) -> None:
        if payload.kind != "chat":
            _say(f"* {printable(payload.message)}")
            return
        who = "you" if ours else printable(payload.sender)
        _say(f"{who}: {printable(payload.message)}")
        if ours:
            self._count_answer()

    def _count_answer(self) -> None:
        self._unanswered -= 1
        if self._unanswered <= 0:
            self._all_answered.set()


async def typed_lines() -> AsyncIterator[str]:
    """Yield the lines of the standard input until it ends.

    A thread reads them, because neither files nor Windows consoles can be awaited. It is a daemon
    and holds no lock of sys.stdin, so that it cannot keep the program from ending.
    """
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    room = threading.Semaphore(LINES_READ_AHEAD)

    def read() -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody waits for lines any more
            for line in _raw_lines():
                room.acquire()
                loop.call_soon_threadsafe(lines.put_nowait, line)
            loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line
        room.release()


def _raw_lines() -> Iterator[str]:
    rest = b""
    # A stdin that is closed is one without lines.
    with suppress(OSError), open(0, "rb", buffering=0, closefd=False) as stdin:
        while chunk := stdin.read(65536):
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
    if rest:
        yield rest.decode(errors="replace")


def _describe_close(error: ConnectionClosed) -> str:
    if error.rcvd is None:
        return "without saying why"
    reason = printable(error.rcvd.reason)
    return f"code {error.rcvd.code}: {reason}" if reason else f"code {error.rcvd.code}"


def describe_error(frame: object) -> str:
    """Say what an error frame says: a list of problems, or one detail."""
    try:
        payload = ErrorFrame.model_validate(frame).payload
    except ValidationError:
        return "the server reported an error"
    if isinstance(payload, Failure):
        return payload.detail
    return "; ".join(problem.describe() for problem in payload)


def printable(text: str) -> str:
    """Replace what could move the cursor, change colours or not be printed at all."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def _say(line: str) -> None:
    print(line, flush=True)


def _fail(sentence: str) -> int:
    print(sentence, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that cannot show everything
    sys.exit(main())
