"""Who may connect: authentication, origins, the handshake."""

from typing import Any

import pytest
from pydantic_core import from_json

from chanx.core.authenticator import BaseAuthenticator
from chanx.core.decorators import ws_handler
from chanx.messages.incoming import PingMessage
from chanx.messages.outgoing import PongMessage
from chanx.type_defs import Scope
from chanx_conformance.consumers import Admits, Basic, Broadcaster, Crashes, Denies, Hangs
from chanx_conformance.models import ChatMessage, ChatPayload, NewsEvent, WaitMessage
from chanx_conformance.suite import Suite

__all__ = ["AccessTests"]


class AccessTests(Suite):
    """Who may connect: authentication, origins, the handshake."""

    async def test_admitted_client_is_served_in_order(self) -> None:
        """Frames that came while authentication was pending are handled after it, in order."""
        async with self.connect(authenticator_class=Admits) as ws:
            await ws.send_message(PingMessage())
            await ws.send_message(WaitMessage(payload=1))
            Basic.gate.set()
            frames = [await ws.receive_json_from() for _ in range(3)]
            assert [frame["action"] for frame in frames] == ["authentication", "pong", "wait"]

    async def test_denied_client_reaches_no_handler(self) -> None:
        """After a denial the reason and the code are sent, and nothing that the client sent is handled."""
        ws = self.connect(authenticator_class=Denies)
        await ws.connect()
        for _ in range(5):
            await ws.send_message(PingMessage())
        assert (await ws.receive_json_from())["payload"]["status_code"] == 403
        await ws.assert_closed(4403)
        await ws.wait()
        assert Basic.handled == []

    async def test_authenticator_reads_the_options_of_its_consumer(self) -> None:
        """It is given the consumer before it is asked."""
        ws = self.connect(authenticator_class=Denies, send_authentication_message=False)
        await ws.connect()
        await ws.assert_closed(4403)
        await ws.wait()

    @pytest.mark.parametrize(("authenticator", "code"), [(Crashes, 4500), (Hangs, 4408)])
    async def test_failing_authenticator_closes(
        self, authenticator: type[BaseAuthenticator], code: int
    ) -> None:
        """A crash closes with 4500, a time-out with 4408; the client learns nothing else."""
        ws = self.connect(authenticator_class=authenticator, authentication_timeout=0.05)
        await ws.connect()
        await ws.assert_closed(code)
        await ws.wait()

    async def test_client_that_leaves_ends_authentication(self) -> None:
        """A pending authenticator ends with its client."""
        ws = self.connect(authenticator_class=Hangs)
        await ws.connect()
        await ws.disconnect(timeout=1)

    async def test_denial_before_accept(self) -> None:
        """`authenticate_before_accept` refuses the handshake itself."""
        ws = self.connect(authenticator_class=Denies, authenticate_before_accept=True)
        accepted, code = await ws.connect()
        assert (accepted, code) == (False, 4403)
        await ws.wait()

    @pytest.mark.parametrize(
        ("origin", "allowed"),
        [
            (None, True),
            ("http://testserver", True),
            ("https://testserver", True),
            ("http://evil-testserver", False),
            ("http://testserver.evil", False),
            ("null", False),
            ("http://[", False),
            ("http://evil@testserver", False),
            ("http://evil\\@testserver", False),
            ("http://testserver:99999", False),
        ],
    )
    async def test_origin(self, origin: str | None, allowed: bool) -> None:
        """Pages of other hosts are refused before the handshake is accepted; programs without Origin are not."""
        headers = [(b"host", b"testserver")]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        ws = self.connect(headers=headers)
        accepted, _ = await ws.connect()
        assert accepted is allowed
        await ws.disconnect()

    async def test_two_origins(self) -> None:
        """They are refused, whichever comes first: no browser sends two."""
        own, other = (b"origin", b"http://testserver"), (b"origin", b"http://evil.org")
        for origins in ([own, other], [other, own], [own, own]):
            ws = self.connect(headers=[(b"host", b"testserver"), *origins])
            assert (await ws.connect())[0] is False
            await ws.disconnect()

    async def test_origin_patterns(self) -> None:
        """`allowed_origins` takes patterns, and None for everybody."""
        headers = [(b"host", b"testserver"), (b"origin", b"https://app.example.com")]
        for policy, allowed in (
            (["https://*.example.com"], True),
            (["https://example.com"], False),
            (None, True),
        ):
            ws = self.connect(headers=headers, allowed_origins=policy)
            assert (await ws.connect())[0] is allowed
            await ws.disconnect()

    @pytest.mark.parametrize(
        ("patterns", "allowed"),
        [(["*"], False), (["*://*", "n*", "nul*l"], False), (["*", "null"], True)],
    )
    async def test_null_origin(self, patterns: list[str], allowed: bool) -> None:
        """A sandboxed frame and a file have the origin `null`, which no star stands for."""
        headers = [(b"host", b"testserver"), (b"origin", b"null")]
        ws = self.connect(headers=headers, allowed_origins=patterns)
        assert (await ws.connect())[0] is allowed
        await ws.disconnect()

    async def test_async_origin_check(self, caplog: pytest.LogCaptureFixture) -> None:
        """A function that calls an async one lets nobody in, and the log says how to write it."""

        async def check(origin: str, scope: Scope) -> bool:
            return True

        def indirect(origin: str, scope: Scope) -> Any:
            return check(origin, scope)

        headers = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
        ws = self.connect(headers=headers, allowed_origins=staticmethod(indirect))
        assert (await ws.connect())[0] is False
        await ws.disconnect()
        assert "is async, and its answer is not awaited" in caplog.text

    async def test_connect_accepts_as_it_likes(self) -> None:
        """An overridden `connect()` accepts in place of the library: with a subprotocol, headers, and what it sends."""

        class Choosing(Basic):
            async def connect(self) -> None:
                """Choose, and greet."""
                await self.accept("chat.v2", [(b"x-room", b"lobby")])
                await self.send_message(PongMessage())

        ws = self.connect(Choosing, authenticator_class=Admits)
        await ws.send_input({"type": "websocket.connect"})
        accepted = await ws.receive_output()
        assert accepted["subprotocol"] == "chat.v2"
        assert accepted["headers"] == [(b"x-room", b"lobby")]
        texts = [(await ws.receive_output())["text"] for _ in range(2)]
        assert [from_json(text)["action"] for text in texts] == ["pong", "authentication"]
        await ws.disconnect()

    @pytest.mark.parametrize("before_accept", [False, True])
    async def test_connect_may_refuse(self, before_accept: bool) -> None:
        """`close()` in it refuses the handshake, with its code; nothing that the client sent is handled."""
        codes: list[int] = []

        class Refusing(Basic):
            async def connect(self) -> None:
                """Refuse."""
                await self.close(4003)

            async def disconnect(self, code: int) -> None:
                """Note."""
                codes.append(code)

        ws = self.connect(Refusing, authenticate_before_accept=before_accept)
        assert await ws.connect() == (False, 4003)
        await ws.wait()
        assert Basic.handled == []
        assert codes == []

    @pytest.mark.parametrize(
        ("errors", "accepted"), [("accept_errors", True), ("deny_errors", False)]
    )
    async def test_connect_may_raise_its_decision(self, errors: str, accepted: bool) -> None:
        """The framework's exceptions mean what they mean to it."""
        (error,) = getattr(self.base.spec.integration, errors)

        class Raising(Basic):
            async def connect(self) -> None:
                """Decide."""
                raise error

        ws = self.connect(Raising)
        assert (await ws.connect())[0] is accepted
        await ws.disconnect()

    async def test_connect_must_decide(self, caplog: pytest.LogCaptureFixture) -> None:
        """One that returns without accepting or closing is refused, and the log says what to write."""

        class Undecided(Basic):
            async def connect(self) -> None:
                """Do nothing."""

        ws = self.connect(Undecided)
        assert await ws.connect() == (False, 1011)
        await ws.wait()
        assert "await self.accept() or await self.close()" in caplog.text

    @pytest.mark.parametrize("by_hand", [False, True])
    async def test_connect_may_join_groups(self, by_hand: bool) -> None:
        """What reaches the group before admission waits, and comes once; `nothing_left` looks at the end."""

        class Joining(Broadcaster):
            async def connect(self) -> None:
                """Join by the library, or on the layer as the frameworks' tutorials do."""
                if by_hand:
                    await self.channel_layer.group_add("room_y", self.channel_name)
                    self.groups.append("room_y")
                else:
                    await self.join_group("room_y")
                await self.accept()

        async with self.connect(Joining, authenticator_class=Admits) as ws:
            await ws.consumer.broadcast_event(NewsEvent(payload="early"), "room_y")
            frames = [await ws.receive_json_from() for _ in range(2)]
            assert [frame["action"] for frame in frames] == ["authentication", "chat"]
            await ws.request(PingMessage())
            await ws.consumer.broadcast_event(NewsEvent(payload="late"), "room_y")
            await ws.consumer.broadcast_event(NewsEvent(payload="last"), "room_y")
            names = [(await ws.receive_json_from())["payload"]["user_name"] for _ in range(2)]
            assert names == ["late", "last"]
        denied = self.connect(Joining, authenticator_class=Denies)
        await denied.connect()
        await denied.receive_json_from()
        await denied.assert_closed(4403)
        await denied.wait()

    @pytest.mark.parametrize(
        "denied_by", ["origin", "connect", "authenticator", "crash", "get_groups", "error"]
    )
    async def test_disconnect_is_not_for_denied_clients(self, denied_by: str) -> None:
        """Neither `post_authentication()` nor `disconnect()` runs, whichever step denies the client."""
        ran: list[object] = []

        class Denied(Basic):
            async def connect(self) -> None:
                """Join, and refuse if that is asked for."""
                await self.join_group("room_y")
                await (self.close() if denied_by == "connect" else self.accept())

            async def get_groups(self) -> list[str]:
                """Close or fail if that is asked for."""
                if denied_by == "error":
                    raise ValueError("secret")
                if denied_by == "get_groups":
                    await self.close(4404)
                return ["more"]

            async def post_authentication(self) -> None:
                """Note."""
                ran.append("post_authentication")

            async def disconnect(self, code: int) -> None:
                """Note."""
                ran.append(code)

        authenticators: dict[str, Any] = {"authenticator": Denies, "crash": Crashes}
        headers = [(b"host", b"testserver"), (b"origin", b"https://evil.example")]
        ws = self.connect(
            Denied,
            headers=headers if denied_by == "origin" else None,
            authenticator_class=authenticators.get(denied_by),
        )
        await ws.connect()
        await ws.wait()
        assert ran == []

    async def test_disconnect_is_for_every_admitted_client(self) -> None:
        """Also where `post_authentication()` closes or raises."""
        codes: list[int] = []

        class Admitted(Basic):
            async def connect(self) -> None:
                """Accept."""
                await self.accept()

            async def post_authentication(self) -> None:
                """Go wrong in one of two ways."""
                if not codes:
                    await self.close(4000)
                raise ValueError("secret")

            async def disconnect(self, code: int) -> None:
                """Note."""
                codes.append(code)

        for _ in range(2):
            ws = self.connect(Admitted)
            await ws.connect()
            await ws.wait()
        assert codes == [4000, 1011]

    async def test_arguments_of_as_asgi_reach_each_instance(self) -> None:
        """`as_asgi(**initkwargs)` makes a consumer with these arguments for each connection."""

        class Configured(Basic):
            def __init__(self, *, answer: str, **kwargs: Any) -> None:
                super().__init__(**kwargs)
                self.answer = answer

            @ws_handler
            async def chat(self, message: ChatMessage) -> ChatMessage:
                """Answer what was configured."""
                return ChatMessage(payload=ChatPayload(user_name=self.answer))

        consumer: Any = self.make(Configured)
        application = consumer.as_asgi(answer="configured")
        for _ in range(2):
            async with self.connect_to(consumer, application=application) as ws:
                await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
                assert (await ws.receive_json_from())["payload"]["user_name"] == "configured"

    async def test_frames_by_hand(self) -> None:
        """`send()` takes text or bytes, and closes behind them; without either it is an error."""

        class Sending(Basic):
            @ws_handler
            async def chat(self, message: ChatMessage) -> None:
                """Send by hand."""
                with pytest.raises(ValueError, match="bytes_data or text_data"):
                    await self.send()
                await self.send(text_data="text")
                await self.send(bytes_data=b"bytes", close=True)

        ws = self.connect(Sending)
        await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
        assert await ws.receive_from() == "text"
        assert (await ws.receive_output())["bytes"] == b"bytes"
        closed = await ws.receive_output()
        assert (closed["type"], closed["code"]) == ("websocket.close", 1000)
        assert type(closed["code"]) is int
        await ws.wait()

    async def test_failing_hook_closes(self) -> None:
        """An exception in `post_authentication()` closes with 1011 and leaves no member."""

        class Failing(Basic):
            async def post_authentication(self) -> None:
                """Fail."""
                raise ValueError("secret")

        ws = self.connect(Failing)
        await ws.connect()
        await ws.assert_closed(1011)
        await ws.wait()
