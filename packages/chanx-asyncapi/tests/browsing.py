"""A real browser for tests of the documentation page, and the console that it shows."""

import json
import os
import shutil
import socket
import threading
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

__all__ = [
    "NEEDS_CHROMIUM",
    "Console",
    "Watched",
    "chromium",
    "open_console",
    "open_tab",
    "playwright",
    "served",
]

# Any: it is not there where the tests of this package run alone.
playwright: Any = pytest.importorskip("playwright.async_api", reason="there is no Playwright")

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")

NEEDS_CHROMIUM = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]


@contextmanager
def served(app: Any) -> Generator[str]:
    """Serve an application on a free port; yield its address."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, ws="websockets-sansio", log_level="warning", lifespan="off")
    serving = uvicorn.Server(config)
    thread = threading.Thread(target=serving.run, args=([listening],))
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        serving.should_exit = True
        thread.join()


@asynccontextmanager
async def chromium(*flags: str) -> AsyncGenerator[Any]:
    """Run a headless Chromium."""
    async with playwright.async_playwright() as running:
        arguments = ["--no-sandbox", *flags]
        browser = await running.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        await browser.close()


class Watched:
    """A tab, with what its browser complains about and asks for."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("pageerror", self._on_error)
        page.on("console", self._on_console)
        page.on("request", self._on_request)
        page.on("dialog", self._on_dialog)

    def _on_error(self, error: object) -> None:
        self.complaints.append(str(error))

    def _on_console(self, line: Any) -> None:
        if line.type in ("error", "warning"):
            self.complaints.append(line.text)

    def _on_request(self, request: Any) -> None:
        self.requests.append(request.url)

    def _on_dialog(self, dialog: Any) -> None:
        self.complaints.append(dialog.message)


async def open_tab(browser: Any, address: str, **options: Any) -> Watched:
    """Open an address in a tab of its own."""
    watched = Watched(
        await browser.new_page(**{"viewport": {"width": 1280, "height": 800}, **options})
    )
    await watched.page.goto(address)
    return watched


class Console:
    """The open console of the channel, with the frames that the page has sent."""

    def __init__(self, tab: Any, channel: str) -> None:
        self.page = tab.page
        self.complaints = tab.complaints
        self.sent: list[dict[str, Any]] = []
        self.place = self.page.locator(f"#channel-{channel}")
        self.log = self.place.get_by_role("log")
        self.page.on("websocket", self._watch)

    def _watch(self, opened: Any) -> None:
        opened.on("framesent", self._keep)

    def _keep(self, frame: str) -> None:
        self.sent.append(json.loads(frame))

    async def connect(self) -> None:
        """Open the console and connect."""
        await self.place.get_by_role("button", name="Try it").click()
        await self.place.get_by_role("button", name="Connect", exact=True).click()
        await playwright.expect(self.place.locator(".status")).to_have_text("Connected")

    async def choose(self, message: str) -> None:
        """Choose a message in the composer."""
        option = self.place.locator(".composer option", has_text=f"{message} (").first
        kinds = self.place.get_by_label("Message", exact=True)
        await kinds.select_option(await option.get_attribute("value"))

    async def send(self, message: str, text: str | None = None, **payload: Any) -> Any:
        """Send a message with a payload of text or of keys, else its example.

        Return what the page shows under it, if it follows the answer.
        """
        await self.choose(message)
        if payload or text is not None:
            frame = {"action": message, "payload": payload or text}
            await self.place.get_by_label("Frame", exact=True).fill(json.dumps(frame))
        await self.place.get_by_role("button", name="Send", exact=True).click()
        return self.place.locator(".exchange").last


async def open_console(browser: Any, address: str, channel: str, **options: Any) -> Console:
    """Open the page of an application, and the console of a channel, connected."""
    console = Console(await open_tab(browser, f"{address}/asyncapi", **options), channel)
    await console.connect()
    return console
