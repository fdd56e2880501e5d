"""Two documents, by their channels: one is known by its address and its topic, whatever its key."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from chanx.asyncapi.actions import schema_actions
from chanx.asyncapi.channels import TOPIC
from chanx.asyncapi.diff._answers import Answer, compare_answers
from chanx.asyncapi.diff._change import Change, Direction
from chanx.asyncapi.diff._schemas import SchemaComparison
from chanx.asyncapi.shapes import is_object
from chanx.asyncapi.validation._problem import pointer
from chanx.asyncapi.validation._references import resolved
from chanx.type_defs import JSONObject

__all__ = ["compare_documents"]

# A part of the handshake that a document does not describe.
_NOTHING: JSONObject = {"type": "object"}


def compare_documents(old: JSONObject, new: JSONObject) -> list[Change]:
    """Return what changed, in order of places; documents should be valid, see `validate_document()`.

    Clients that were written for `old` are what breaks or does not: they must find their channels, the server must
    accept what they write, and they must understand what it sends.
    """
    return sorted(set(_Comparison(old, new).changes()))


class Identity(NamedTuple):
    """What a channel is for clients, whatever its key and its parameters are called."""

    address: str
    pattern: str | None
    name: str | None

    @property
    def kind(self) -> str:
        """What it is in words."""
        return "channel" if self.pattern is None else "topic"

    def __str__(self) -> str:
        if self.pattern is None:
            return f"channel {self.address}"
        return f"topic {self.pattern} of {self.address}"


class _Comparison:
    def __init__(self, old: JSONObject, new: JSONObject) -> None:
        self.old = old
        self.new = new

    def changes(self) -> Iterator[Change]:
        yield from self._servers()
        before, after = _identified(self.old), _identified(self.new)
        pairs = {one: one for one in before if one in after}
        pairs |= _renamed(before, after)
        for one, key in before.items():
            if one in pairs:
                yield from self._channel(key, after[pairs[one]], one, pairs[one])
            else:
                message = f"The {one} is gone."
                yield Change(pointer("channels", key), f"{one.kind}-removed", "both", True, message)
        for one, key in after.items():
            if one not in pairs.values():
                message = f"The {one} is new."
                yield Change(pointer("channels", key), f"{one.kind}-added", "both", False, message)

    def _servers(self) -> Iterator[Change]:
        before, after = _addresses(self.old), _addresses(self.new)
        for address in sorted(before.keys() - after.keys()):
            message = f"The server {address} is gone."
            yield Change(
                pointer("servers", before[address]), "server-removed", "both", False, message
            )
        for address in sorted(after.keys() - before.keys()):
            message = f"The server {address} is new."
            yield Change(pointer("servers", after[address]), "server-added", "both", False, message)

    def _channel(
        self, old_key: str, new_key: str, old: Identity, new: Identity
    ) -> Iterator[Change]:
        before, after = _channel(self.old, old_key), _channel(self.new, new_key)
        place = ("channels", new_key)
        address = new.address
        yield from self._topic(before, after, place, old, new)
        yield from self._parameters(before, after, place)
        yield from self._handshake(before, after, place, address)
        yield from self._security(old_key, new_key, address)
        for direction in ("to-server", "to-client"):
            sent_before = _messages(self.old, old_key, direction)
            sent_after = _messages(self.new, new_key, direction)
            yield from self._messages(sent_before, sent_after, direction, place)
        yield from compare_answers(_answers(self.old, old_key), _answers(self.new, new_key))

    def _topic(
        self,
        before: JSONObject,
        after: JSONObject,
        place: tuple[str, ...],
        old: Identity,
        new: Identity,
    ) -> Iterator[Change]:
        """Compare the names of a topic: what stands for a parameter, and what it may be."""
        was, now = _topic_of(before), _topic_of(after)
        if old.pattern != new.pattern:
            message = (
                f"The names of the topic {now.get('name')!r} of {new.address} were {old.pattern} and are "
                f"{new.pattern}."
            )
            yield Change(pointer(*place, TOPIC, "pattern"), "topic-pattern", "both", True, message)
            return
        comparison = SchemaComparison(self.old, self.new, "to-server", f"topic {new.pattern}")
        where = (*place, TOPIC, "schema")
        yield from comparison.compare(
            was.get("schema", _NOTHING), now.get("schema", _NOTHING), where
        )

    def _parameters(
        self, before: JSONObject, after: JSONObject, place: tuple[str, ...]
    ) -> Iterator[Change]:
        known = after.get("parameters", {})
        for name, parameter in before.get("parameters", {}).items():
            old_values = resolved(self.old, parameter).get("enum")
            new_values = resolved(self.new, known.get(name)).get("enum")
            if new_values is None or old_values == new_values:
                continue
            gone = new_values if old_values is None else set(old_values) - set(new_values)
            narrowed = old_values is None or bool(gone)
            message = f"The parameter {name!r} may now be one of: {', '.join(new_values)}."
            rule = "parameter-narrowed" if narrowed else "parameter-widened"
            yield Change(pointer(*place, "parameters", name), rule, "to-server", narrowed, message)

    def _handshake(
        self, before: JSONObject, after: JSONObject, place: tuple[str, ...], address: str
    ) -> Iterator[Change]:
        old, new = _binding(self.old, before), _binding(self.new, after)
        for part in ("query", "headers"):
            comparison = SchemaComparison(self.old, self.new, "to-server", f"{part} of {address}")
            where = (*place, "bindings", "ws", part)
            yield from comparison.compare(old.get(part, _NOTHING), new.get(part, _NOTHING), where)

    def _security(self, old_key: str, new_key: str, address: str) -> Iterator[Change]:
        """Compare who may connect, and what single messages need beyond that."""
        old_all, new_all = _asked(self.old, old_key), _asked(self.new, new_key)
        subject = f"The channel {address}"
        place = pointer("channels", new_key)
        before, after = (frozenset[str]().union(*asked.values()) for asked in (old_all, new_all))
        yield from _changed_security(before, after, subject, place)
        for key, schemes in new_all.items():
            known = old_all.get(key, schemes)
            if (known, schemes) != (before, after):
                subject = f"The operation {key!r} of {address}"
                place = pointer("operations", key)
                yield from _changed_security(known, schemes, subject, place)

    def _messages(
        self,
        before: dict[str, tuple[str, JSONObject]],
        after: dict[str, tuple[str, JSONObject]],
        direction: Direction,
        place: tuple[str, ...],
    ) -> Iterator[Change]:
        to_server = direction == "to-server"
        for name, (_, message) in before.items():
            if name not in after:
                text = (
                    f"The server no longer takes the message {name!r}."
                    if to_server
                    else f"The server no longer sends the message {name!r}."
                )
                where = pointer(*place, "messages")
                yield Change(where, "message-removed", direction, True, text)
            else:
                key, other = after[name]
                comparison = SchemaComparison(self.old, self.new, direction, name)
                yield from comparison.compare(
                    message.get("payload", {}),
                    other.get("payload", {}),
                    (*place, "messages", key, "payload"),
                )
        for name, (key, _) in after.items():
            if name not in before:
                text = (
                    f"The server takes the new message {name!r}."
                    if to_server
                    else f"The server sends the new message {name!r}, which clients do not know."
                )
                where = pointer(*place, "messages", key)
                yield Change(where, "message-added", direction, not to_server, text)


def _identified(document: JSONObject) -> dict[Identity, str]:
    """Return the channels' keys by what they are."""
    found: dict[Identity, str] = {}
    for key in document.get("channels", {}):
        channel = _channel(document, key)
        topic = _topic_of(channel)
        name, pattern = topic.get("name"), topic.get("pattern")
        identity = Identity(
            str(channel.get("address") or key),
            pattern if isinstance(pattern, str) else None,
            name if isinstance(name, str) else None,
        )
        found[identity] = key
    return found


def _renamed(before: Iterable[Identity], after: Iterable[Identity]) -> dict[Identity, Identity]:
    """Pair what is the same topic under another name, and then topics whose pattern has changed."""
    pairs: dict[Identity, Identity] = {}
    gone = [one for one in before if one.pattern is not None and one not in after]
    new = [one for one in after if one.pattern is not None and one not in before]
    for part in ("pattern", "name"):
        for one in gone:
            for other in new:
                is_same = getattr(one, part) == getattr(other, part) is not None
                is_free = one not in pairs and other not in pairs.values()
                if is_free and is_same and one.address == other.address:
                    pairs[one] = other
    return pairs


def _topic_of(channel: JSONObject) -> JSONObject:
    """Return what the extension says; what is not as this library writes it says nothing."""
    found: object = channel.get(TOPIC)
    return found if is_object(found) else {}


def _addresses(document: JSONObject) -> dict[str, str]:
    servers = {name: resolved(document, s) for name, s in document.get("servers", {}).items()}
    return {
        f"{server.get('protocol')}://{server.get('host')}{server.get('pathname', '')}": name
        for name, server in servers.items()
    }


def _channel(document: JSONObject, key: str) -> JSONObject:
    return resolved(document, document["channels"][key])


def _operations(document: JSONObject, key: str) -> Iterator[tuple[str, JSONObject]]:
    for name, operation in document.get("operations", {}).items():
        found = resolved(document, operation)
        if found.get("channel", {}).get("$ref") == f"#/channels/{key}":
            yield name, found


def _binding(document: JSONObject, channel: JSONObject) -> JSONObject:
    bindings = resolved(document, channel.get("bindings"))
    return resolved(document, bindings.get("ws"))


def _asked(document: JSONObject, key: str) -> dict[str, frozenset[str]]:
    """Return what clients may show, in words, by the operations of a channel."""
    return {
        name: frozenset(_scheme(resolved(document, one)) for one in operation.get("security", ()))
        for name, operation in _operations(document, key)
    }


def _changed_security(
    before: frozenset[str], after: frozenset[str], subject: str, place: str
) -> Iterator[Change]:
    if after and not before:
        message = f"{subject} now asks for {_listed(after)}."
        yield Change(place, "security-added", "to-server", True, message)
    elif before and not after:
        message = f"{subject} no longer asks for {_listed(before)}."
        yield Change(place, "security-removed", "to-server", False, message)
    elif gone := before - after:
        message = f"{subject} no longer takes {_listed(gone)}, but {_listed(after)}."
        yield Change(place, "security-changed", "to-server", True, message)
    elif more := after - before:
        message = f"{subject} also takes {_listed(more)}."
        yield Change(place, "security-alternative", "to-server", False, message)


def _scheme(scheme: JSONObject) -> str:
    if scheme.get("type") == "httpApiKey":
        return f"{scheme.get('in')} {scheme.get('name')}"
    return str(scheme.get("scheme") or scheme.get("type"))


def _messages(
    document: JSONObject, key: str, direction: Direction
) -> dict[str, tuple[str, JSONObject]]:
    """Return what travels in one direction, by the name that tells messages apart on the wire.

    Of several with one name, such as the errors of a topic, the first title has the plain one.
    """
    found: dict[str, dict[str, tuple[str, JSONObject]]] = {}
    for reference in _message_references(document, key, direction):
        message = resolved(document, reference)
        own_key = str(reference.get("$ref", "")).rpartition("/")[2]
        title = str(message.get("title", ""))
        for name in _names(document, message, own_key):
            found.setdefault(name, {}).setdefault(title, (own_key, message))
    return {
        name if number == 0 else f"{name} ({title})": titled[title]
        for name, titled in found.items()
        for number, title in enumerate(sorted(titled))
    }


def _message_references(
    document: JSONObject, key: str, direction: Direction
) -> Iterator[JSONObject]:
    everything = _channel(document, key).get("messages", {})
    whole = [{"$ref": f"#/channels/{key}/messages/{name}"} for name in everything]
    for _, operation in _operations(document, key):
        receives = operation.get("action") == "receive"
        if receives == (direction == "to-server"):
            yield from operation.get("messages", whole)
        else:
            # The client receives the reply to what it sends, and sends the reply to what it receives.
            yield from resolved(document, operation.get("reply")).get("messages", ())


def _answers(document: JSONObject, key: str) -> dict[str, Answer]:
    """Return how the messages of clients are answered, by their actions."""
    found: dict[str, Answer] = {}
    for name, operation in _operations(document, key):
        if operation.get("action") == "receive":
            answer = Answer.of(document, name, operation)
            for reference in operation.get("messages", ()):
                message = resolved(document, reference)
                own_key = str(reference.get("$ref", "")).rpartition("/")[2]
                found |= dict.fromkeys(_names(document, message, own_key), answer)
    return found


def _names(document: JSONObject, message: JSONObject, key: str) -> list[str]:
    """Return the actions of a message: what its first constant field may be; else its own name, or its key."""
    payload = resolved(document, message.get("payload"))
    return schema_actions(payload) or [str(message.get("name") or key)]


def _listed(words: frozenset[str]) -> str:
    return " or ".join(sorted(words))
