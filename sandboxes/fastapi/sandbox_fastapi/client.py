"""Chat from a terminal.

    python sandbox_fastapi/client.py ROOM --name ada [--url ws://127.0.0.1:8080]

Every line that is typed, or piped in, is sent as one typed message; what the room says is printed.
"""

import argparse
import asyncio
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path
from urllib.parse import urlsplit

HERE = Path(__file__).resolve().parent
if not __package__:
    # Started as a script: Python looks for modules beside it, but the package is one folder up.
    sys.path[:] = [str(HERE.parent), *(entry for entry in sys.path if Path(entry) != HERE)]

from pydantic import BaseModel, RootModel, ValidationError  # noqa: E402
from websockets.exceptions import InvalidHandshake  # noqa: E402

from sandbox_fastapi.api_client.base import (  # noqa: E402
    AnswerError,
    ClientError,
    ConnectionClosed,
    InvalidFrame,
)
from sandbox_fastapi.api_client.room_chat import RoomChatClient  # noqa: E402
from sandbox_fastapi.api_client.room_chat.messages import (  # noqa: E402
    ErrorMessage,
    RoomNotificationMessage,
)

__all__ = ["main"]

OPEN_TIMEOUT = 10.0
CLOSE_TIMEOUT = 2.0
# How long the end of input waits for the answers to what was said last.
ANSWER_TIMEOUT = 5.0
LINES_READ_AHEAD = 100
ABNORMAL_CLOSURE = 1006


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
    Room.address = str(options.path).replace("{room}", "{room_name}")
    room = Room(
        options.url,
        params={"room_name": options.room},
        query={"name": options.name} if options.name else {},
        reconnects=False,
        open_timeout=OPEN_TIMEOUT,
        close_timeout=CLOSE_TIMEOUT,
        proxy=None,
    )
    try:
        async with room:
            return await Conversation(room, printable(options.room)).run()
    except ConnectionClosed as closed:
        return _fail(_describe_refusal(closed, options.url))


class Room(RoomChatClient):
    """The generated client, which also shows what it cannot read."""

    async def on_error(self, error: Exception) -> None:
        """Show what the document of this chat does not describe."""
        if isinstance(error, InvalidFrame):
            _say("? something that is no message of this chat")


class Conversation:
    """Listens and speaks at once, and ends when either does."""

    def __init__(self, room: RoomChatClient, name: str) -> None:
        self._room = room
        self._name = name
        # Messages of ours that have not come back yet.
        self._awaited = 0
        self._all_came = asyncio.Event()

    async def run(self) -> int:
        """Return the exit code."""
        listening = asyncio.create_task(self._listen())
        speaking = asyncio.create_task(self._speak())
        try:
            await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            return listening.result() if listening.done() else speaking.result()
        finally:
            for task in (listening, speaking):
                task.cancel()
            await asyncio.gather(listening, speaking, return_exceptions=True)

    async def _listen(self) -> int:
        """Show what arrives until the server closes."""
        async for message in self._room.messages():
            if isinstance(message, RoomNotificationMessage):
                self._show(message)
            elif isinstance(message, ErrorMessage):
                _say(f"! {printable(describe_error(message.payload))}")
        closed = self._room.closed or ConnectionClosed(None)
        return _fail(f"The server closed the connection ({_describe_close(closed)}).")

    async def _speak(self) -> int:
        """Send what is typed until the input ends and all of it has come back."""
        try:
            await self._room.ping()
            _say(f"You joined {self._name}. Type a line to say it; Ctrl+D or Ctrl+C leaves.")
            async for line in typed_lines():
                await self._send(line)
        except ClientError:
            await asyncio.Future[None]()  # _listen() reports it
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_TIMEOUT):
                while self._awaited > 0:
                    self._all_came.clear()
                    await self._all_came.wait()
        _say(f"You left {self._name}.")
        return 0

    async def _send(self, line: str) -> None:
        if not line.strip():
            return
        self._awaited += 1
        try:
            await self._room.room_chat(message=line)
        except ValidationError as error:
            self._awaited -= 1
            _say(f"! not sent: {error.errors()[0]['msg']}")
        except AnswerError as error:
            self._awaited -= 1
            _say(f"! {printable(describe_error(error.payload))}")

    def _show(self, message: RoomNotificationMessage) -> None:
        payload = message.payload
        if payload.kind != "chat":
            _say(f"* {printable(payload.message)}")
            return
        who = "you" if message.is_current else printable(payload.sender)
        _say(f"{who}: {printable(payload.message)}")
        if message.is_current:
            self._awaited -= 1
            self._all_came.set()


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


class ErrorPayload(RootModel[list[Problem] | Failure]):
    """Why a message had no effect."""


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


def _describe_close(closed: ConnectionClosed) -> str:
    if closed.code in (None, ABNORMAL_CLOSURE):
        return "without saying why"
    reason = printable(closed.reason)
    return f"code {closed.code}: {reason}" if reason else f"code {closed.code}"


def _describe_refusal(closed: ConnectionClosed, url: str) -> str:
    match closed.__cause__:
        case InvalidHandshake():
            return f"{url} does not answer like a WebSocket server."
        case TimeoutError():
            return f"{url} did not answer within {OPEN_TIMEOUT:g} s."
        case OSError() as error:
            return f"Cannot reach {url} ({_reason(error)}); is the server running?"
        case _:
            return f"{url} refused the room (HTTP {closed.code})."


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) and error.strerror:
        return error.strerror.lower()
    if error.errno is None:  # several addresses were tried
        return "no connection"
    return os.strerror(error.errno).lower()


def describe_error(payload: object) -> str:
    """Say what an error says: a list of problems, or one detail."""
    try:
        said = ErrorPayload.model_validate(payload).root
    except ValidationError:
        return "the server reported an error"
    if isinstance(said, Failure):
        return said.detail
    return "; ".join(problem.describe() for problem in said)


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
