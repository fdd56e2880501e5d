"""What a project's AsyncAPI document says beyond its routes."""

from django.http import HttpRequest

from chanx.asyncapi import DocumentOptions
from chanx.channels.settings import chanx_settings

__all__ = ["document_options"]


def document_options(request: HttpRequest | None = None) -> DocumentOptions:
    """Return what the settings say, and for the rest what the request does."""
    server_url = chanx_settings.ASYNCAPI_SERVER_URL or chanx_settings.WEBSOCKET_BASE_URL
    protocol = chanx_settings.ASYNCAPI_SERVER_PROTOCOL
    if not server_url and request is not None:
        server_url = request.get_host() + request.META.get("SCRIPT_NAME", "")
        protocol = protocol or ("wss" if request.is_secure() else "ws")
    return DocumentOptions(
        title=chanx_settings.ASYNCAPI_TITLE,
        version=chanx_settings.ASYNCAPI_VERSION,
        description=chanx_settings.ASYNCAPI_DESCRIPTION or None,
        server_url=server_url,
        server_protocol=protocol,
        servers=chanx_settings.ASYNCAPI_SERVERS,
        security_schemes=chanx_settings.ASYNCAPI_SECURITY_SCHEMES,
        asyncapi_version=chanx_settings.ASYNCAPI_SPEC_VERSION,
    )
