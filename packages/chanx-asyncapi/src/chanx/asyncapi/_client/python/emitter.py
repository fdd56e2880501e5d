"""The files of a client package in Python."""

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Iterator
from importlib.resources import files

from chanx.asyncapi._client.model import (
    Channel,
    ClientModel,
    Message,
    Operation,
    ServerRequest,
    Topic,
)
from chanx.asyncapi._client.python.base import BaseClient, BaseTopic, Model
from chanx.asyncapi._client.python.models import Field, Models, write_models
from chanx.asyncapi._client.python.names import Identifiers, class_name, snake_name
from chanx.asyncapi.shapes import is_object

__all__ = ["python_files"]

_HEADER = (
    "# Written by `chanx generate-client`: changes are lost when it runs again.\n# ruff: noqa\n"
)
_BASE_FILES = (
    "__init__",
    "client",
    "connection",
    "errors",
    "exchange",
    "model",
    "policy",
    "stream",
    "topic",
)
_OWN_ACTIONS = frozenset({"complete", "error", "subscribed", "unsubscribed"})
_IMPORTS = {
    "Any": "typing", "Awaitable": "collections.abc", "Callable": "collections.abc", "ClassVar": "typing",
    "Mapping": "collections.abc", "BaseClient": "..base", "BaseTopic": "..base", "Model": "..base", "Stream": "..base",
    "UNSET": "..base", "given": "..base",
}  # fmt: skip
_BUILTINS = frozenset(dir(builtins))


def python_files(
    model: ClientModel,
    *,
    formats: bool = True,
    readme: bool = True,
    progress: Callable[[str], None] = lambda step: None,
) -> dict[str, str]:
    """Return the text of each file of the package, by its path. Raises InputError."""
    progress("models")
    models = write_models(model, formats=formats)
    written = {
        "__init__.py": f"{_HEADER}{_docstring(f'Clients of {model.title}.')}\n",
        "shared/__init__.py": f'{_HEADER}"""What the channels share."""\n',
        "shared/messages.py": f'{_HEADER}"""The messages of all channels, and what they hold."""\n\n{models.text}',
        "py.typed": "",
    }
    base = files("chanx.asyncapi._client.python") / "base"
    for name in _BASE_FILES:
        text = (base / f"{name}.py").read_text(encoding="utf-8")
        written[f"base/{name}.py"] = f"{_HEADER}{text}"
    packages = Identifiers({"base", "shared"})
    listed: list[tuple[str, str]] = []
    for channel in model.channels:
        progress(channel.key)
        package = packages.take(snake_name(channel.key))
        emitted = _ChannelFiles(channel, models, package)
        written |= {f"{package}/{name}": text for name, text in emitted.files().items()}
        listed.append((package, emitted.client))
    if readme:
        written["README.md"] = _readme(model, listed)
    return written


class _ChannelFiles:
    def __init__(self, channel: Channel, models: Models, package: str) -> None:
        self.channel = channel
        self.models = models
        self.package = package
        self.client = f"{class_name(channel.key)}Client"
        self.classes = Identifiers({self.client})
        self.topics = {
            topic.key: self.classes.take(_with_end(class_name(topic.name), "Topic"))
            for topic in channel.topics
        }
        self.types = _Types(models)

    def files(self) -> dict[str, str]:
        """Return the three modules of the channel."""
        public = [self.client, *self.topics.values(), "IncomingMessage", "OutgoingMessage"]
        names = ", ".join([self.client, *self.topics.values()])
        return {
            "__init__.py": (
                f"{_HEADER}{_docstring(self.channel.description or self.channel.title)}\n\n"
                f"from .client import {names}\n"
                "from .messages import IncomingMessage, OutgoingMessage\n\n"
                f"__all__ = {_names(public)}\n"
            ),
            "client.py": self._client(),
            "messages.py": self._messages(),
        }

    def _messages(self) -> str:
        received, sent = self._union(self._all("received")), self._union(self._all("sent"))
        direct = [self._class(message) for message in (*self._all("received"), *self._all("sent"))]
        named = sorted({one for name in direct for one in self.models.references(name)})
        lines = [f"    {name},\n" for name in named]
        imports = f"from ..shared.messages import (\n{''.join(lines)})\n" if named else ""
        return (
            f"{_HEADER}{_docstring(f'Messages of {self.channel.key}.')}\n\n"
            "from typing import TypeAlias\n\n"
            f"{imports if received and sent else 'from ..base import Model' + chr(10) + imports}\n"
            f"IncomingMessage: TypeAlias = {received or 'Model'}\n"
            '"""What the server sends."""\n'
            f"OutgoingMessage: TypeAlias = {sent or 'Model'}\n"
            '"""What clients send."""\n\n'
            f"__all__ = {_names(['IncomingMessage', 'OutgoingMessage', *named])}\n"
        )

    def _all(self, side: str) -> list[Message]:
        found: dict[str, Message] = {}
        for part in (self.channel, *self.channel.topics):
            for message in part.received if side == "received" else part.sent:
                found[message.key] = message
        return list(found.values())

    def _class(self, message: Message) -> str:
        return self.models.names[message.schema_name or message.key]

    def _union(self, messages: Iterable[Message], prefix: str = "") -> str:
        return " | ".join(dict.fromkeys(f"{prefix}{self._class(message)}" for message in messages))

    def _client(self) -> str:
        classes = [self._topic(topic) for topic in self.channel.topics]
        classes.append(self._client_class())
        body = "\n\n\n".join(classes)
        names = [*self.types.imports(), *_IMPORTS.items()]
        used = [
            f"from {module} import {name} as _{name}"
            for name, module in sorted(dict(names).items(), key=_import_order)
            if re.search(rf"(?<![\w.])_{name}\b", body)
        ]
        relative = [line for line in used if line.startswith("from .")]
        absolute = [line for line in used if not line.startswith("from .")]
        messages = ["from ..shared import messages as _m"] if "_m." in body else []
        groups = ["\n".join(lines) for lines in (absolute, [*relative, *messages]) if lines]
        return (
            f"{_HEADER}{_docstring(f'The client of {self.channel.key}.')}\n\n"
            + "\n\n".join(groups)
            + f"\n\n__all__ = {_names([*self.topics.values(), self.client])}\n\n\n{body}\n"
        )

    def _client_class(self) -> str:
        channel = self.channel
        scope = Identifiers({*dir(BaseClient("ws://localhost")), *_BUILTINS})
        codes = _table((str(one.code), _text(one.retry)) for one in channel.close_codes)
        controls = _table(
            (_text(kind), _text(name)) for kind, name in sorted(channel.controls.items())
        )
        place = ", ".join(map(_text, _token_place(channel)))
        methods = [
            *(self._method(operation, action, scope, None) for operation, action in _by_action(channel.operations)),
            *(self._request(request, action, scope) for request, action in _requests(channel)),
            *(self._topic_method(topic, scope) for topic in channel.topics),
        ]  # fmt: skip
        return (
            f"class {self.client}(_BaseClient):\n"
            f"    {_docstring(channel.description or channel.title, 4)}\n\n"
            f"    address: _ClassVar[str] = {_text(channel.address)}\n"
            f"    discriminator: _ClassVar[str] = {_text(channel.discriminator)}\n"
            f"    controls: _ClassVar[_Mapping[str, str]] = {controls}\n"
            f"    close_codes: _ClassVar[_Mapping[int, str]] = {codes}\n"
            f"    heartbeat_interval: _ClassVar[float | None] = {channel.heartbeat_interval!r}\n"
            f"    token_place: _ClassVar[tuple[str, str]] = ({place})\n"
            f"    incoming: _ClassVar[_Mapping[str, _Any]] = {self._kinds(channel.received)}\n"
            + "".join(f"\n{method}" for method in methods)
        ).rstrip()

    def _kinds(self, messages: Iterable[Message]) -> str:
        by_action: dict[str, list[Message]] = {}
        for message in messages:
            for action in message.actions:
                by_action.setdefault(action, []).append(message)
        return _table(
            (_text(action), self._union(kinds, "_m."))
            for action, kinds in sorted(by_action.items())
        )

    def _topic(self, topic: Topic) -> str:
        events = self._union(
            (one for one in topic.pushed if not set(one.actions) <= _OWN_ACTIONS), "_m."
        )
        base: BaseTopic[Model] = BaseTopic(BaseClient("ws://localhost"), {})
        scope = Identifiers({*dir(base), *_BUILTINS})
        methods = [
            self._method(operation, action, scope, "self")
            for operation, action in _by_action(topic.operations)
        ]
        return (
            f"class {self.topics[topic.key]}(_BaseTopic[{events or '_Model'}]):\n"
            f"    {_docstring(topic.description or topic.title, 4)}\n\n"
            f"    pattern: _ClassVar[str] = {_text(topic.pattern)}\n"
            f"    incoming: _ClassVar[_Mapping[str, _Any]] = {self._kinds(topic.received)}\n"
            + "".join(f"\n{method}" for method in methods)
        ).rstrip()

    def _topic_method(self, topic: Topic, scope: Identifiers) -> str:
        name = scope.take(_with_end(snake_name(topic.name), "_topic"))
        schemas = topic.schema.get("properties", {})
        parameters = Identifiers({"self"})
        named = {one: parameters.take(snake_name(one)) for one in topic.parameters}
        signature = "".join(
            f", {named[one]}: {_plain_type(schemas.get(one))}" for one in topic.parameters
        )
        values = ", ".join(f"{_text(one)}: {named[one]}" for one in topic.parameters)
        kind = self.topics[topic.key]
        star = ", *" if signature else ""
        return (
            f"    def {name}(self{star}{signature}) -> {kind}:\n"
            f"        {_docstring(topic.description or f'Return a topic: {topic.pattern}', 8)}\n"
            f"        return {kind}(self, {{{values}}})\n"
        )

    def _request(self, request: ServerRequest, action: str, scope: Identifiers) -> str:
        name = scope.take(f"on_{snake_name(action)}")
        asked = f"_m.{self._class(request.message)}"
        answers = self._union(request.answers, "_m.") or "_Model"
        return (
            f"    def {name}(self, handler: _Callable[[{asked}], _Awaitable[{answers}]]) -> None:\n"
            f"        {_docstring(f'Let a function answer {_text(action)}. {request.description}', 8)}\n"
            f"        self.answer_requests({_text(action)}, handler)\n"
        )

    def _method(
        self, operation: Operation, action: str, scope: Identifiers, topic: str | None
    ) -> str:
        call = _Call(
            self.models,
            self.types,
            self._class(operation.message),
            self.channel.discriminator,
            action,
        )
        is_stream, items = operation.mode == "stream", self._union(operation.items, "_m.")
        result = {
            "stream": f"_Stream[{items or '_Model'}]",
            "one": items or "None",
            "many": f"list[{items or '_Model'}]",
        }.get(operation.mode, "None")
        client = "self" if topic is None else "self.client"
        on_topic = "" if topic is None else f", topic={topic}"
        options = f"{on_topic}{', is_cancellable=True' if operation.is_cancellable else ''}"
        answers = "".join(f", {one}" for one in items.split(" | ") if one)
        body = {
            "stream": f"return _Stream({client}, {call.message}, {operation.window!r}{on_topic})",
            "one": f"return await {client}.send_request({call.message}{answers}{options})",
            "many": f"return await {client}.collect_answers({call.message}{answers}{options})",
            "none": f"await {client}.collect_answers({call.message}{options})",
        }.get(operation.mode, f"await {client}.send({call.message}{on_topic})")
        if operation.mode == "one" and not items:
            body = f"await {client}.collect_answers({call.message}{options})"
        text = "\n\n".join(filter(None, [operation.summary or action, operation.description]))
        return (
            f"    {'' if is_stream else 'async '}def {scope.take(snake_name(action))}"
            f"(self{call.signature}) -> {result}:\n"
            f"        {_docstring(text, 8)}\n"
            f"        {body}\n"
        )


class _Call:
    """The parameters of a method, and the expression that makes a message of them."""

    def __init__(
        self, models: Models, types: "_Types", name: str, discriminator: str, action: str
    ) -> None:
        self._parameters = Identifiers({"self"})
        self._models = models
        self._types = types
        self._signature: list[str] = []
        fields = models.fields.get(name)
        if fields is None:
            self.signature = f", message: _m.{name}"
            self.message = "message"
            return
        parts = [f"{_text(discriminator)}: {_text(action)}"]
        for field in fields:
            if field.wire_name not in (discriminator, "is_current", "isCurrent"):
                parts += self._part(field)
        self.signature = ", *" + "".join(self._signature) if self._signature else ""
        given = f"_given({{{', '.join(parts)}}})"
        self.message = f"_m.{name}.model_validate({given})"

    def _part(self, field: Field) -> list[str]:
        hint = _bare(field.annotation)
        if isinstance(hint, ast.Constant) and hint.value is None:
            return [f"{_text(field.wire_name)}: None"] if field.is_required else []
        inner = self._payload(field, hint)
        if inner is not None:
            values = ", ".join(f"{_text(one.wire_name)}: {self._parameter(one)}" for one in inner)
            return [f"{_text(field.wire_name)}: _given({{{values}}})"]
        return [f"{_text(field.wire_name)}: {self._parameter(field)}"]

    def _payload(self, field: Field, hint: ast.expr) -> list[Field] | None:
        """Return the fields of a payload that is a model: each is a parameter."""
        if field.wire_name != "payload":
            return None
        if isinstance(hint, ast.Name):
            return self._models.fields.get(hint.id)
        # An optional payload without required fields.
        is_optional = isinstance(hint, ast.BinOp) and ast.unparse(hint.right) == "None"
        inner = hint.left if is_optional and isinstance(hint, ast.BinOp) else None
        found = self._models.fields.get(inner.id) if isinstance(inner, ast.Name) else None
        is_free = found is not None and not any(one.is_required for one in found)
        return found if is_free and not field.is_required else None

    def _parameter(self, field: Field) -> str:
        name = self._parameters.take(snake_name(field.wire_name))
        default = "" if field.is_required else " = _UNSET"
        self._signature.append(f", {name}: {self._types.written(field.annotation)}{default}")
        return name


class _Types(ast.NodeTransformer):
    """Writes type hints of models outside of their module; constraints are checked by the models alone."""

    def __init__(self, models: Models) -> None:
        self._models = models
        self._used: set[tuple[str, str]] = set()

    def written(self, annotation: ast.expr) -> str:
        """Return a type hint as text."""
        hint = ast.unparse(_bare(annotation))  # a copy, without long constraints
        return ast.unparse(self.visit(ast.parse(hint, mode="eval").body))

    def imports(self) -> Iterator[tuple[str, str]]:
        """Return names that the hints need, and their modules."""
        for module, name in sorted(self._used):
            yield name, module

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        """Leave out what Annotated adds, and constants as they are."""
        value = node.value
        if (
            isinstance(value, ast.Name)
            and value.id == "Annotated"
            and isinstance(node.slice, ast.Tuple)
        ):
            inner: ast.AST = self.visit(node.slice.elts[0])
            return inner
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Name a model by its module, and what is imported by an alias that no parameter can have."""
        if node.id in self._models.imports:
            module, name = self._models.imports[node.id]
            if module == "builtins":
                return ast.Name(name, ast.Load())
            self._used.add((module, name))
            return ast.Name(f"_{name}", ast.Load())
        if node.id in _BUILTINS:
            return node
        return ast.Attribute(ast.Name("_m", ast.Load()), node.id, ast.Load())


def _import_order(item: tuple[str, str]) -> tuple[str, int, str]:
    """Order names as isort does: constants, classes, functions."""
    name, module = item
    kind = 0 if name.isupper() else 1 if name[0].isupper() else 2
    return module, kind, name


def _bare(annotation: ast.expr) -> ast.expr:
    """Return a type hint without what Annotated adds."""
    is_annotated = (
        isinstance(annotation, ast.Subscript)
        and isinstance(annotation.slice, ast.Tuple)
        and ast.unparse(annotation.value) == "Annotated"
    )
    if isinstance(annotation, ast.Subscript) and isinstance(annotation.slice, ast.Tuple):
        return annotation.slice.elts[0] if is_annotated else annotation
    return annotation


def _text(value: str) -> str:
    """Write a string in double quotes."""
    written = repr(value)
    return written if '"' in written or "\\" in written else f'"{written[1:-1]}"'


def _table(entries: Iterable[tuple[str, str]]) -> str:
    """Write a dictionary of expressions, one on each line."""
    lines = [f"        {key}: {value},\n" for key, value in entries]
    return "{\n" + "".join(lines) + "    }" if lines else "{}"


def _by_action(operations: Iterable[Operation]) -> Iterator[tuple[Operation, str]]:
    for operation in operations:
        for action in operation.message.actions:
            yield operation, action


def _requests(channel: Channel) -> Iterator[tuple[ServerRequest, str]]:
    for part in (channel, *channel.topics):
        for request in part.requests:
            yield request, request.message.actions[0]


def _token_place(channel: Channel) -> tuple[str, str]:
    """Return where a token goes: the one place that looks like it, else the usual header."""
    places = [(one.location, one.name) for one in channel.handshake]
    likely = [one for one in places if one[1].lower() in ("token", "access_token", "authorization")]
    return (likely or [("header", "Authorization")])[0]


def _plain_type(schema: object) -> str:
    kinds = {"integer": "int", "number": "float", "boolean": "bool"}
    kind = schema.get("type") if is_object(schema) else None
    return kinds.get(kind, "str") if isinstance(kind, str) else "str"


def _with_end(name: str, end: str) -> str:
    return name if name.endswith(end) else f"{name}{end}"


def _names(names: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in sorted(dict.fromkeys(names))) + "]"


def _docstring(text: str, indent: int = 0) -> str:
    """Write text as a docstring that it cannot leave."""
    lines = [
        "".join(c for c in line if c.isprintable()).rstrip() for line in text.strip().splitlines()
    ]
    # All quotes where one could be read as an end, none elsewhere, so that usual texts stay readable.
    is_risky = '"""' in text or any(line.endswith('"') for line in lines)
    quote = '\\"' if is_risky else '"'
    escaped = [line.replace("\\", "\\\\").replace('"', quote) for line in lines]
    if len(escaped) < 2:
        return f'"""{"".join(escaped)}"""'
    margin = " " * indent
    rest = "".join(f"{margin}{line}\n" if line else "\n" for line in escaped[1:])
    return f'"""{escaped[0]}\n{rest}{margin}"""'


def _readme(model: ClientModel, clients: list[tuple[str, str]]) -> str:
    title = " ".join(model.title.split()).replace("`", "'")
    rows = "".join(f"- `{package}.{client}`\n" for package, client in clients)
    return f"# Clients of {title}\n\nWritten by `chanx generate-client`. They need pydantic and websockets.\n\n{rows}"
