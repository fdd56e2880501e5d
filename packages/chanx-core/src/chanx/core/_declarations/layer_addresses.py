"""Where the servers of a channel layer are, to be shown in logs and errors: never with credentials."""

from collections.abc import Mapping, Sequence
from typing import Any, cast
from urllib.parse import urlsplit

__all__ = ["addresses_of"]

_PORT = 6379


def addresses_of(layer: object) -> str:
    """Return `host:port` for each server of a layer on Redis, separated by commas; empty for other layers."""
    return ", ".join(filter(None, map(_address, _hosts(layer))))


# Any: hosts are written as a URL, a pair, or the arguments of a connection.
def _hosts(layer: object) -> Sequence[Any]:
    # Read past __getattr__: publish/subscribe layers pass unknown names on to a layer of the running event loop.
    kept: dict[str, Any] = getattr(layer, "__dict__", {})
    hosts = kept.get("hosts")
    if hosts is None and "PubSub" in type(layer).__name__:
        args: Sequence[Any] = kept.get("_args") or ()
        hosts = args[0] if args else kept.get("_kwargs", {}).get("hosts")
        hosts = hosts or [("localhost", _PORT)]
    return cast("Sequence[Any]", hosts) if isinstance(hosts, list | tuple) else ()


def _address(host: Any) -> str:
    if isinstance(host, Mapping):
        return _address_of_arguments(cast("Mapping[str, Any]", host))
    if isinstance(host, list | tuple):
        name, port, *_ = cast("Sequence[Any]", host)
        return f"{name}:{port}"
    return _address_of_url(host.decode() if isinstance(host, bytes) else str(host))


def _address_of_arguments(host: Mapping[str, Any]) -> str:
    if "address" in host:
        return _address(host["address"])
    if "sentinels" in host:
        return f"{host.get('master_name')} of {', '.join(map(_address, host['sentinels']))}"
    return str(host.get("path") or f"{host.get('host', 'localhost')}:{host.get('port', _PORT)}")


def _address_of_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        name, port = parts.hostname, parts.port or _PORT
    except ValueError:  # its text may hold a part of the password
        return ""
    return f"{name}:{port}" if name else parts.path
