"""One AsyncAPI document of both sides."""

from dataclasses import replace

from fastapi import FastAPI

from chanx.asyncapi import ConsumerRoute, DocumentOptions, Publication, publish
from chanx.channels.discovery import discover_routes as discover_django
from chanx.fast_channels.discovery import discover_routes as discover_asgi

__all__ = ["both_sides", "routes_of_both"]

# Where the FastAPI application mounts Django.
PREFIX = "/django"


def routes_of_both(app: FastAPI) -> list[ConsumerRoute]:
    """Return the consumers of both sides, each at its address."""
    django = [replace(route, address=PREFIX + route.address) for route in discover_django()]
    return [*discover_asgi(app), *django]


def both_sides(app: FastAPI, host: str) -> Publication:
    """Write the document. Each consumer is described as it speaks: camel case on one side only."""
    return publish(routes_of_both(app), DocumentOptions(title="Both sides", server_url=host))
