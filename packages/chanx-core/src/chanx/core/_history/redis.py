"""A history in Redis or Valkey, for several processes."""

import asyncio
import json
from collections.abc import Awaitable, Sequence
from secrets import token_hex
from typing import TYPE_CHECKING, Any, cast
from weakref import WeakKeyDictionary

from chanx.core._history.entries import Entry, Position, parse_cursor
from chanx.core._history.store import HistoryStore, Retention, provable
from chanx.type_defs import JSONObject
from chanx.utils.logging import logger

if TYPE_CHECKING:
    from redis.asyncio import Redis

__all__ = ["RedisHistory"]

# The place of a history outlives its entries by so many seconds: live members of a quiet topic stand on it.
_HEAD_OUTLIVES = 30 * 86_400

# An entry is a JSON list: offset, token, token of the one before, event. Entries that are too old are removed as others
# are added, a few at a time.
_APPEND = """
local head = redis.call('GET', KEYS[1])
local epoch, offset, token
if head then
  epoch, offset, token = head:match('^(%w+)%.(%d+)%.(%w*)$')
end
if not epoch then
  redis.call('DEL', KEYS[2])
  epoch, offset, token = ARGV[1], '0', ''
end
offset = string.format('%d', tonumber(offset) + 1)
local now = tonumber(redis.call('TIME')[1])
local entry = '[' .. offset .. ',"' .. ARGV[2] .. '","' .. token .. '",' .. ARGV[3] .. ']'
local seconds = tonumber(ARGV[5])
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[4], offset .. '-0', 'e', entry, 't', now)
for _ = 1, 4 do
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if oldest == nil or tonumber(oldest[2][4]) >= now - seconds then break end
  redis.call('XDEL', KEYS[2], oldest[1])
end
redis.call('EXPIRE', KEYS[2], math.ceil(seconds))
redis.call('SET', KEYS[1], epoch .. '.' .. offset .. '.' .. ARGV[2], 'EX', ARGV[6])
return {epoch, offset, token}
"""
_BEGIN = """
local head = redis.call('GET', KEYS[1])
if not head then
  head = ARGV[1] .. '.0.'
  redis.call('DEL', KEYS[2])
  redis.call('SET', KEYS[1], head, 'EX', ARGV[2])
end
return head
"""
# The entries as one text: parsing them here is several times cheaper than a reply of many parts.
_READ = """
local found = redis.call('XRANGE', KEYS[2], ARGV[1], '+', 'COUNT', ARGV[2])
local texts = {}
for i, item in ipairs(found) do texts[i] = item[2][2] end
return {redis.call('GET', KEYS[1]) or '', '[' .. table.concat(texts, ',') .. ']'}
"""
_LATEST = """
local found = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', ARGV[1])
local texts = {}
for i, item in ipairs(found) do texts[#found + 1 - i] = item[2][2] end
return {redis.call('GET', KEYS[1]) or '', '[' .. table.concat(texts, ',') .. ']'}
"""


class _Scripts:
    """The client and the scripts of one event loop: its connections work on that loop alone."""

    def __init__(self, client: "Redis") -> None:
        self.client = client
        self.append: Any = client.register_script(_APPEND)
        self.begin: Any = client.register_script(_BEGIN)
        self.read: Any = client.register_script(_READ)
        self.latest: Any = client.register_script(_LATEST)


class RedisHistory(HistoryStore):
    """Keeps histories in Redis or Valkey: `RedisHistory("redis://localhost:6379/0")`.

    Needs the extra `chanx-core[redis]`. `prefix` begins the names of its keys. Further options are those of
    `redis.asyncio.Redis.from_url()`. A server whose `maxmemory-policy` is not `noeviction` may remove histories, and
    clients are told so. `close()` it on the event loop that used it.
    """

    # Any: options of redis-py.
    def __init__(self, url: str, *, prefix: str = "chanx:history", **options: Any) -> None:
        self._url = url
        self._prefix = prefix
        self._options = options
        self._of_loops: WeakKeyDictionary[asyncio.AbstractEventLoop, _Scripts] = WeakKeyDictionary()
        self._checked = False

    async def append(self, key: str, event: JSONObject, retention: Retention) -> Entry:
        """Add an event, and return its entry."""
        token = token_hex(4)
        epoch, offset, previous = await (await self._scripts()).append(
            keys=self._keys(key),
            args=[
                token_hex(4),
                token,
                json.dumps(event),
                retention.size,
                retention.seconds,
                int(retention.seconds) + _HEAD_OUTLIVES,
            ],
        )
        return Entry(_text(epoch), int(offset), token, _text(previous), event)

    async def heads(self, keys: Sequence[str]) -> list[Position]:
        """Return the position after the newest entry of each history. Begins those that do not exist."""
        scripts = await self._scripts()
        asked = [self._keys(key)[0] for key in keys]
        heads = await cast("Awaitable[list[Any]]", scripts.client.mget(asked))
        return [
            _position(head) if head else await self._begun(scripts, key)
            for key, head in zip(keys, heads, strict=True)
        ]

    async def _begun(self, scripts: _Scripts, key: str) -> Position:
        head = await scripts.begin(keys=self._keys(key), args=[token_hex(4), _HEAD_OUTLIVES])
        return _position(head)

    async def read(self, key: str, after: Position, limit: int) -> list[Entry]:
        """Return the next entries. Raises HistoryLostError."""
        scripts = await self._scripts()
        args = [f"{after.offset + 1}-0", limit]
        head, entries = _reply(await scripts.read(keys=self._keys(key), args=args))
        return provable(head or await self._begun(scripts, key), after, entries)

    async def latest(self, key: str, count: int) -> list[Entry]:
        """Return the newest entries, the oldest of them first."""
        scripts = await self._scripts()
        _, entries = _reply(await scripts.latest(keys=self._keys(key), args=[count]))
        return entries

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        scripts = self._of_loops.pop(asyncio.get_running_loop(), None)
        if scripts is not None:
            await scripts.client.aclose()

    def _keys(self, key: str) -> list[str]:
        tagged = f"{self._prefix}:{{{key}}}"
        return [f"{tagged}:head", f"{tagged}:log"]

    async def _scripts(self) -> _Scripts:
        loop = asyncio.get_running_loop()
        scripts = self._of_loops.get(loop)
        if scripts is None:
            from redis.asyncio import Redis

            redis: Any = Redis  # whose annotations leave options open
            client: Redis = redis.from_url(self._url, **self._options)
            scripts = self._of_loops[loop] = _Scripts(client)
        if not self._checked:
            self._checked = True
            await self._check_policy(scripts.client)
        return scripts

    async def _check_policy(self, client: "Redis") -> None:
        """Warn once of a server that may remove histories when its memory is full."""
        try:
            found: dict[Any, Any] = await cast(Any, client).config_get("maxmemory-policy")
        except Exception as error:  # hosted servers refuse the command
            logger.debug("The memory policy of the history's server is not known: %r", error)
            return
        policy = _text(next(iter(found.values()), "noeviction"))
        if policy != "noeviction":
            logger.warning(
                "The server of the history has maxmemory-policy %s, so it may remove histories: set noeviction.",
                policy,
            )


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


def _position(head: str | bytes) -> Position:
    position = parse_cursor(_text(head))
    if position is None:
        raise ValueError(f"No place in a history: {head!r}")
    return position


# Any: what a script returned.
def _reply(reply: Any) -> tuple[Position | None, list[Entry]]:
    head, text = reply
    position = _position(head) if head else None
    epoch = "" if position is None else position.epoch
    found: list[Any] = json.loads(text)
    return position, [
        Entry(epoch, offset, token, previous, event) for offset, token, previous, event in found
    ]
