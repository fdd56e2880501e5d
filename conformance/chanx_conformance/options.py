"""Options of a consumer class."""

import json
import logging

import pytest

from chanx.core.decorators import ws_handler
from chanx.core.websocket import ChanxWebsocketConsumerMixin
from chanx.messages.base import BaseMessage
from chanx.messages.incoming import PingMessage
from chanx.type_defs import JSONObject, Scope
from chanx_conformance.consumers import Basic, Broadcaster
from chanx_conformance.models import ChatMessage, ChatPayload
from chanx_conformance.suite import Consumer, Suite

__all__ = ["OptionTests"]


class OptionTests(Suite):
    """Options of a consumer class."""

    async def test_camel_case_translates_fields_only(self) -> None:
        """Field names travel in camel case; keys of the user's data stay as they are."""
        data = {"HTTPServer": 1, "A_B-c": {"sku-1_a": 2}}
        async with self.connect(camelize=True) as ws:
            await ws.send_message(
                ChatMessage(payload=ChatPayload(user_name="ada", extra_data=data))
            )
            frame = await ws.receive_json_from()
            assert frame == {"action": "chat", "payload": {"userName": "ada", "extraData": data}}

    async def test_camel_case_reads_both_spellings_but_not_at_once(self) -> None:
        """Either spelling is read; both in one object are an error, except among the user's own keys."""
        async with self.connect(camelize=True) as ws:
            await ws.send_to(text_data='{"action":"chat","payload":{"user_name":"ada"}}')
            assert (await ws.receive_json_from())["payload"]["userName"] == "ada"
            both = '"user_name":"ada","userName":"bob"'
            await ws.send_to(text_data=f'{{"action":"chat","payload":{{{both}}}}}')
            error = (await ws.receive_json_from())["payload"][0]
            assert (error["type"], error["loc"]) == ("key_collision", ["chat", "payload"])
            payload = f'{{"userName":"ada","extraData":{{{both}}}}}'
            await ws.send_to(text_data=f'{{"action":"chat","payload":{payload}}}')
            assert len((await ws.receive_json_from())["payload"]["extraData"]) == 2

    async def test_camel_case_in_groups(self) -> None:
        """Group messages are translated at the socket."""
        async with self.connect(Broadcaster, camelize=True) as ws:
            await ws.send_message(ChatMessage(payload=ChatPayload(user_name="ada")))
            frame = await ws.receive_json_from()
            assert frame["payload"] == {"userName": "ada", "extraData": {}}
            assert frame["isCurrent"] is True

    @pytest.mark.parametrize("handlers", [Basic, Broadcaster], ids=["reply", "group"])
    async def test_camel_case_of_dictionary_keys(self, handlers: Consumer) -> None:
        """With `camelize_dicts`, keys of dictionaries travel in camel case too, in both directions."""
        received: list[JSONObject] = []

        class Recording(handlers):  # type: ignore[misc, valid-type] # a parameter
            async def receive_message(self, message: BaseMessage) -> None:
                """Note what the handler gets."""
                received.append(message.payload.extra_data)
                await super().receive_message(message)

        data = {"is_mine": True, "rows": [{"row_id": 1, "A_B-c": {"sku-1_a": 2}}]}
        wire_data = {"isMine": True, "rows": [{"rowId": 1, "A_B-c": {"sku-1_a": 2}}]}
        message = ChatMessage(payload=ChatPayload(user_name="ada", extra_data=data))
        async with self.connect(Recording, camelize=True, camelize_dicts=True) as ws:
            payload = {"userName": "ada", "extraData": wire_data}
            await ws.send_to(text_data=json.dumps({"action": "chat", "payload": payload}))
            assert (await ws.receive_json_from())["payload"] == payload
            await ws.send_message(message)
            reply = await ws.receive_message()
            assert isinstance(reply, ChatMessage)
            assert reply.payload == message.payload
        assert received == [data, data]

    async def test_camel_case_of_messages_that_are_dictionaries(self) -> None:
        """A message that no class describes is translated as well; without `camelize` nothing is."""

        class Loose(ChanxWebsocketConsumerMixin[BaseMessage]):
            @ws_handler
            async def pong(self, message: PingMessage) -> None:
                """Send what is no message of this class."""
                await self.send_json({"action": "other", "payload": {"is_mine": True}})

        frames: list[JSONObject] = []
        for camelize in (True, False):
            async with self.connect(Loose, camelize=camelize, camelize_dicts=True) as ws:
                await ws.send_message(PingMessage())
                frames.append((await ws.receive_json_from())["payload"])
        assert frames == [{"isMine": True}, {"is_mine": True}]

    @pytest.mark.parametrize("handlers", [Broadcaster, Basic])
    async def test_discriminator_field_renames_action(self, handlers: Consumer) -> None:
        """The key of `action` on the wire can be chosen, for every message."""
        async with self.connect(handlers, discriminator_field="kind", send_completion=True) as ws:
            await ws.send_to(text_data='{"kind":"ping","payload":null}')
            assert await ws.receive_json_from() == {"kind": "pong", "payload": None}
            assert await ws.receive_json_from() == {"kind": "complete", "payload": None}
            await ws.send_to(text_data='{"action":"ping","payload":null}')
            error = await ws.receive_json_from()
            assert (error["kind"], error["payload"][0]["type"]) == ("error", "union_tag_not_found")

    async def test_a_class_has_names(self) -> None:
        """`name` and `snake_name` come from the class's name; an attribute of its own wins."""

        class MyWebSocketConsumer(ChanxWebsocketConsumerMixin[BaseMessage]):
            """Named by its class."""

        class Named(MyWebSocketConsumer):
            name = "own"

        consumer = self.make(MyWebSocketConsumer)
        assert (consumer.name, consumer.snake_name) == ("MyWebSocket", "my_web_socket")
        assert (consumer().name, self.make(Named)().name) == ("MyWebSocket", "own")

    async def test_logging_writes_two_lines(self, caplog: pytest.LogCaptureFixture) -> None:
        """With logging on, one message in and one out are logged, completions never."""
        caplog.set_level(logging.INFO, "chanx")
        async with self.connect(
            log_websocket_message=True, log_ignored_actions=(), send_completion=True
        ) as ws:
            caplog.clear()
            await ws.send_message(PingMessage())
            await ws.receive_all_messages()
            events = [record.getMessage() for record in caplog.records]
            assert events == ["Websocket received", "Websocket sent"]

    async def test_scope_is_the_same_everywhere(self) -> None:
        """`path_info`, `path_params` and `url_route` are there, whoever routed."""
        scopes: list[Scope] = []

        class Looking(Basic):
            async def post_authentication(self) -> None:
                """Note the scope."""
                scopes.append(self.scope)

        async with self.connect(Looking) as ws:
            await ws.send_message(PingMessage())
            await ws.receive_json_from()
        assert scopes[0]["path_info"] == "/ws"
        assert scopes[0]["path_params"] == {}
        assert scopes[0]["url_route"]["kwargs"] == {}

    async def test_unregistered_alias_is_an_error_that_lists_the_others(self) -> None:
        """Only the default alias may have no layer; a written one has to exist."""
        ws = self.connect(channel_layer_alias="elsewhere")
        with pytest.raises(LookupError, match=r"'elsewhere'.*'default'"):
            await ws.connect()
