"""Where clients connect to."""

from urllib.parse import SplitResult, urlsplit

from chanx.asyncapi.options import DocumentOptions
from chanx.type_defs import JSONObject

__all__ = ["servers"]

DEFAULT_HOST = "localhost:8000"
_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1"})
_SOCKET_SCHEMES = {"http": "ws", "https": "wss"}


def servers(options: DocumentOptions) -> JSONObject:
    """Return the `servers` of a document."""
    if options.servers:
        return {name: dict(server) for name, server in options.servers.items()}
    url = options.server_url or DEFAULT_HOST
    parts = _split(url if "://" in url else f"//{url}")
    scheme = _SOCKET_SCHEMES.get(parts.scheme, parts.scheme)
    server = {"host": parts.netloc, "protocol": options.server_protocol or scheme or "ws"}
    if pathname := parts.path.rstrip("/"):
        server["pathname"] = pathname
    return {"development" if _is_local(parts.netloc) else "production": server}


def _is_local(netloc: str) -> bool:
    return _split(f"//{netloc}").hostname in _LOCAL_HOSTS


def _split(url: str) -> SplitResult:
    """Split an address; one that is none, as clients may send it in a header, is taken for a host."""
    try:
        return urlsplit(url)
    except ValueError:
        return SplitResult("", url.removeprefix("//"), "", "", "")
