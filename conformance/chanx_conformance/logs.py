"""What is logged through the standard library, and the fields of the records: the same on every integration."""

import asyncio
import io
import json
import logging
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.testing.channel_layer import FaultyChannelLayer
from chanx.testing.communicator import WebsocketCommunicator
from chanx.type_defs import Scope
from chanx.utils.logging import ContextFilter, log_fields
from chanx_conformance.consumers import Speaking
from chanx_conformance.models import NewsEvent, SayMessage
from chanx_conformance.suite import Suite

__all__ = ["LogTests"]

# Seconds; a busy machine has three times as many.
PATIENCE = 6.0
FIELDS = ("consumer", "path", "user", "connection_id", "message_id", "action")
OWN = logging.getLogger("tests.of.an.application")


class Writing(Speaking):
    """Writes to a log of its own."""

    @ws_handler
    async def say(self, message: SayMessage) -> SayMessage | None:
        """Do what the client asks for."""
        match message.payload:
            case "log":
                OWN.warning("handling", extra={"user": "own"})
            case "fields":
                return SayMessage(payload=json.dumps(log_fields()))
            case "broadcast":
                await self.broadcast_message(message)
                return None
            case _:
                pass
        return await super().say(message)


def warnings(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the records that are seen without any configuration."""
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


class LogTests(Suite):
    """Records of the logger `chanx`, and what others may add to theirs."""

    @pytest.fixture
    def lines(self) -> Iterator[Callable[[], list[str]]]:
        """Log every field to a stream of UTF-8, and return what reads its lines."""
        stream = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
        handler = logging.StreamHandler(stream)
        fields = " ".join(f"{name}=%({name})r" for name in (*FIELDS, "sent_action"))
        form = f"%(levelname)s event=%(message)r {fields}"
        handler.setFormatter(logging.Formatter(form, defaults={"sent_action": None}))
        handler.addFilter(ContextFilter())
        root = logging.getLogger()
        level = root.level
        root.setLevel(logging.INFO)
        root.addHandler(handler)
        raw: Any = stream.buffer
        yield lambda: raw.getvalue().decode("utf-8").splitlines()
        root.removeHandler(handler)
        root.setLevel(level)

    def as_user(
        self, user: object, path: str = "/ws/room", **options: Any
    ) -> WebsocketCommunicator:
        """Make a connection for which a middleware has found this user."""
        consumer = self.make(Writing, **{"log_websocket_message": False, **options})
        served: Any = consumer

        async def known(scope: Scope, receive: Any, send: Any) -> None:
            await served.as_asgi()({**scope, "path": path, "user": user}, receive, send)

        return self.connect_to(consumer, path, application=known)

    # Failures

    async def test_failure_is_logged_once(self, caplog: pytest.LogCaptureFixture) -> None:
        """One record with the traceback and the fields, for a handler of a message and for one of an event."""
        async with self.as_user("ada") as ws:
            await ws.send_message(SayMessage(payload="fail"))
            assert (await ws.receive_json_from())["action"] == "error"
            await ws.consumer.broadcast_event(NewsEvent(payload="fail"), "lobby")
            await ws.idle()
        failures = [record for record in caplog.records if record.levelno == logging.ERROR]
        assert caplog.text.count("ValueError: secret") == 2
        assert [record.getMessage() for record in failures] == [
            "Failed to process message in Writing",
            "Failed to process event in Writing",
        ]
        for record, action in zip(failures, ("say", "news"), strict=True):
            fields = vars(record)
            assert record.name == "chanx"
            assert record.exc_info is not None
            assert fields["consumer"] == "Writing"
            assert fields["action"] == action
            assert fields["path"] == "/ws/room"
            assert fields["user"] == "ada"
            assert len(fields["connection_id"]) == 16

    async def test_connections_have_ids(self, caplog: pytest.LogCaptureFixture) -> None:
        """Each its own, in all of its records, from the handshake to the end."""
        caplog.set_level(logging.INFO)
        for _ in range(2):
            async with self.connect(Writing, log_websocket_message=True) as ws:
                await ws.send_message(SayMessage(payload="fail"))
                await ws.receive_json_from()
        ids = [vars(record)["connection_id"] for record in caplog.records if record.name == "chanx"]
        assert len(ids) == 8  # of each: a message, a failure, an error frame and the end
        first, second = set(ids[:4]), set(ids[4:])
        assert len(first) == len(second) == 1
        assert first != second

    # Who it is

    @pytest.mark.parametrize(
        ("user", "shown"),
        [
            ("ada", "ada"),
            (7, 7),
            (SimpleNamespace(pk=7, id=8, username="ada"), 7),
            (SimpleNamespace(id=8, username="ada"), 8),
            (SimpleNamespace(username="ada"), "ada"),
            (SimpleNamespace(pk=7, is_authenticated=False), None),
            (SimpleNamespace(token="secret"), None),
            (None, None),
            ("a\nb", "a\\nb"),
        ],
        ids=str,
    )
    async def test_user_is_named_by_a_key(
        self, user: object, shown: object, caplog: pytest.LogCaptureFixture
    ) -> None:
        """And never by what the object prints of itself."""
        async with self.as_user(user) as ws:
            await ws.send_message(SayMessage(payload="fail"))
            await ws.receive_json_from()
        assert vars(caplog.records[0])["user"] == shown

    async def test_user_that_cannot_be_asked_is_left_out(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """As a lazy user whose database must not be asked in an event loop."""

        class Lazy:
            def __getattr__(self, name: str) -> Any:
                raise RuntimeError("not here")

        async with self.as_user(Lazy()) as ws:
            await ws.send_message(SayMessage(payload="fail"))
            assert (await ws.receive_json_from())["action"] == "error"
        assert vars(caplog.records[0])["user"] is None

    async def test_user_that_the_authenticator_finds(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In what is logged from then on."""

        class Tokens(BaseAuthenticator):
            async def authenticate(self, scope: Any) -> bool:
                """Find the user."""
                scope["user"] = "grace"
                return True

        async with self.connect(Writing, authenticator_class=Tokens) as ws:
            await ws.send_message(SayMessage(payload="fail"))
            await ws.receive_json_from()
        assert vars(caplog.records[0])["user"] == "grace"

    async def test_path_cannot_begin_a_line(self, caplog: pytest.LogCaptureFixture) -> None:
        """Clients choose it: it is written as in a URL, and cut."""
        async with self.as_user("ada", "/ws/a:b\nERROR root 'x' \u00e4" + "y" * 1000) as ws:
            await ws.send_message(SayMessage(payload="fail"))
            await ws.receive_json_from()
        path = vars(caplog.records[0])["path"]
        assert path.startswith("/ws/a:b%0AERROR%20root%20'x'%20%C3%A4yyy")
        assert len(path) == 200

    # Records of the application

    async def test_lines_carry_the_message(self, lines: Callable[[], list[str]]) -> None:
        """While a message is handled, every line has its action and an id of its own."""
        async with self.connect(Writing, log_websocket_message=True) as ws:
            for _ in range(2):
                await ws.send_message(SayMessage(payload="log"))
                await ws.receive_json_from()
            await ws.idle()
        own = [line for line in lines() if "event='handling'" in line]
        assert all("action='say'" in line and "consumer='Writing'" in line for line in own)
        ids = [line.split("message_id='")[1].split("'")[0] for line in own]
        assert len({*ids}) == 2
        assert [sum(f"message_id='{name}'" in line for line in lines()) for name in ids] == [3, 3]

    async def test_a_filtered_log_still_names_the_message(
        self, lines: Callable[[], list[str]]
    ) -> None:
        """Where the level is above ours, our lines are left out, and what handlers log still has the message's id."""
        logging.getLogger().setLevel(logging.WARNING)
        async with self.connect(Writing, log_websocket_message=True) as ws:
            await ws.send_message(SayMessage(payload="log"))
            await ws.receive_json_from()
        (line,) = lines()
        assert "event='handling'" in line
        assert "action='say'" in line
        assert "message_id='" in line

    async def test_what_a_record_says_itself_stays(self, lines: Callable[[], list[str]]) -> None:
        """The filter overwrites nothing, and adds what it knows: without the log of messages, the connection."""
        async with self.connect(Writing) as ws:
            await ws.send_message(SayMessage(payload="log"))
            await ws.receive_json_from()
        (line,) = (line for line in lines() if "event='handling'" in line)
        assert "user='own'" in line
        assert "consumer='Writing' path='/ws'" in line
        assert "message_id=None action=None" in line

    async def test_fields_for_others(self) -> None:
        """`log_fields()` has what is known, and nothing outside of connections."""
        async with self.connect(Writing, log_websocket_message=True) as ws:
            await ws.send_message(SayMessage(payload="fields"))
            fields = json.loads((await ws.receive_json_from())["payload"])
        assert fields.keys() == {"consumer", "path", "connection_id", "message_id", "action"}
        assert fields["message_id"] == f"{fields['connection_id']}-1"
        assert log_fields() == {}

    # The log of messages

    async def test_end_is_logged_and_forgets_the_context(
        self, lines: Callable[[], list[str]]
    ) -> None:
        """With the close code, outside of any message; what is logged afterwards does not name the connection."""
        consumer = self.make(Writing, log_websocket_message=True)
        served: Any = consumer

        async def logging_afterwards(scope: Scope, receive: Any, send: Any) -> None:
            await served.as_asgi()(scope, receive, send)
            OWN.info("afterwards")

        async with self.connect_to(consumer, application=logging_afterwards) as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
        (ended,) = (line for line in lines() if "Disconnecting websocket" in line)
        assert "close code 1000" in ended
        assert "consumer='Writing'" in ended
        assert "message_id=None" in ended
        (after,) = (line for line in lines() if "event='afterwards'" in line)
        assert "consumer=None" in after

    async def test_end_is_no_news_where_messages_are_not_logged(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Servers log connections themselves, so the record is for debugging then."""
        with caplog.at_level(logging.DEBUG, "chanx"):
            async with self.connect(Writing, log_websocket_message=False) as ws:
                await ws.send_message(PingMessage())
                await ws.receive_json_from()
        ended = [r for r in caplog.records if r.getMessage().startswith("Disconnecting websocket")]
        assert [record.levelname for record in ended] == ["DEBUG"]

    async def test_ignored_actions_are_not_logged(self, lines: Callable[[], list[str]]) -> None:
        """Neither when they come nor when they go; others are."""
        options: dict[str, Any] = {
            "log_websocket_message": True,
            "log_ignored_actions": ["ping", "pong"],
        }
        async with self.connect(Writing, **options) as ws:
            for message in (PingMessage(), SayMessage(payload="x"), PingMessage()):
                await ws.send_message(message)
                await ws.receive_json_from()
        logged = [line for line in lines() if "event='Websocket" in line]
        assert ["Websocket received" in line for line in logged] == [True, False]
        assert all("action='say'" in line for line in logged)
        assert "sent_action='say'" in logged[1]

    @pytest.mark.parametrize(
        "action",
        [[], ["say"], {}, 7, None, True, "\ud800", "nobody's", "x" * 2**20],
        ids=lambda action: json.dumps(action)[:12],
    )
    async def test_any_action_can_be_logged(
        self, lines: Callable[[], list[str]], action: Any
    ) -> None:
        """Lists, half surrogate pairs, a megabyte: logged in few bytes, or not, but nothing is lost by it."""
        options: dict[str, Any] = {"log_websocket_message": True, "max_message_bytes": None}
        async with self.connect(Writing, **options) as ws:
            await ws.send_to(text_data=json.dumps({"action": action, "payload": "x"}))
            assert (await ws.receive_json_from())["action"] == "error"
            await ws.send_message(SayMessage(payload="after"))
            assert (await ws.receive_json_from())["payload"] == "after"
        text = "\n".join(lines())
        assert text.count("event='Websocket received'") == 1
        assert len(text) < 10_000

    async def test_any_text_can_be_sent_and_logged(self, lines: Callable[[], list[str]]) -> None:
        """What handlers send is logged by its action alone, whatever that is."""

        class Odd(Writing):
            @ws_handler
            async def say(self, message: SayMessage) -> SayMessage | None:
                """Send what is no message."""
                actions: tuple[Any, ...] = ([], "y" * 2**20, None)
                for action in actions:
                    await self.send_json({"action": action, "payload": "x" * 100})
                return None

        async with self.connect(Odd, log_websocket_message=True) as ws:
            await ws.send_message(SayMessage(payload=""))
            actions = [(await ws.receive_json_from())["action"] for _ in range(3)]
        assert actions[0] == []
        assert len([line for line in lines() if "Websocket sent" in line]) == 3

    # What a client or an outage could fill a log with

    async def test_malformed_frames_are_counted(self, caplog: pytest.LogCaptureFixture) -> None:
        """One is logged, and at the end the number of the others: for each connection."""
        for _ in range(2):
            async with self.connect(Writing) as ws:
                for _ in range(50):
                    await ws.send_to(text_data="{")
                    assert (await ws.receive_json_from())["action"] == "error"
        first, rest, *others = warnings(caplog)
        assert first.getMessage() == "Malformed frame: json_invalid"
        assert rest.getMessage() == "Malformed frames: 49 more not logged"
        assert vars(rest)["not_logged"] == 49
        assert vars(first)["connection_id"] == vars(rest)["connection_id"]
        assert [record.getMessage() for record in others] == [first.getMessage(), rest.getMessage()]

    async def test_single_malformed_frame_is_logged_alone(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Nothing was left out."""
        async with self.connect(Writing) as ws:
            await ws.send_to(text_data="{")
            await ws.receive_json_from()
        (record,) = warnings(caplog)
        assert record.getMessage() == "Malformed frame: json_invalid"

    async def test_outage_is_logged_once_for_each_kind(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Requests and handshakes fail by the hundred: one traceback of each, and the numbers at the end."""
        faulty = FaultyChannelLayer()

        def find_layer(alias: str) -> FaultyChannelLayer:
            return faulty

        options: dict[str, Any] = {"get_channel_layer": staticmethod(find_layer)}
        async with self.connect(Writing, **options) as ws:
            await ws.idle()
            for _ in range(2):
                await self.suffer(ws, faulty, options)
        failures = [record for record in caplog.records if record.levelno == logging.ERROR]
        kinds = {
            "Channel layer failed",
            "Failed to process message in Writing",
            "Channel layer unavailable at connect in Writing",
        }
        assert {record.getMessage().partition(":")[0] for record in failures} == kinds
        assert "LayerDownError('The channel layer is down, as the test asked.')" in caplog.text
        assert len(failures) == 2 * len(kinds)  # of each outage
        assert all(record.exc_info is not None for record in failures)
        counted = [record for record in caplog.records if hasattr(record, "not_logged")]
        assert sorted(vars(record)["not_logged"] for record in counted) == [2, 2, 19, 19]
        assert {vars(record)["consumer"] for record in counted} == {"Writing"}
        assert {vars(record)["connection_id"] for record in counted} == {None}
        assert "Failed to process message in Writing: 19 more not logged" in caplog.text

    async def suffer(
        self, ws: WebsocketCommunicator, faulty: FaultyChannelLayer, options: dict[str, Any]
    ) -> None:
        """Live through an outage with 20 requests and 3 handshakes in it."""
        with faulty.down():
            for _ in range(20):
                await ws.send_message(SayMessage(payload="broadcast"))
                assert (await ws.receive_json_from())["action"] == "error"
            for _ in range(3):
                refused = self.connect(Writing, **options)
                await refused.connect()
                await refused.assert_closed(1013)
                await refused.wait()
        async with asyncio.timeout(PATIENCE):
            while (await ws.receive_json_from(timeout=PATIENCE))["action"] != "resync":
                pass

    async def test_handler_failure_of_its_own_is_logged_each_time(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Only what a channel layer raises is held back."""
        async with self.connect(Writing) as ws:
            for _ in range(3):
                await ws.send_message(SayMessage(payload="fail"))
                await ws.receive_json_from()
        assert caplog.text.count("ValueError: secret") == 3
