"""The generator under the name that the single package has."""

import pytest

from chanx.asyncapi import DocumentOptions, generate_document
from chanx.asyncapi.generator import AsyncAPIGenerator

from .torture import ROUTES


def test_it_makes_the_same_document() -> None:
    generator = AsyncAPIGenerator(ROUTES)
    assert generator.channels == generator.operations == {}

    document = generator.generate()

    assert document == generate_document(ROUTES)
    assert generator.channels == document["channels"]
    assert generator.operations == document["operations"]
    assert document["servers"] == {"development": {"host": "localhost:8000", "protocol": "ws"}}


def test_its_parameters_are_options() -> None:
    servers = {"main": {"host": "a.example", "protocol": "wss"}}
    schemes = {"own": {"type": "http", "scheme": "bearer"}}
    generator = AsyncAPIGenerator(
        iter(ROUTES), "Shop", "2.0.0", "Sells", "b.example", "wss", True, servers, schemes
    )
    options = DocumentOptions(
        title="Shop",
        version="2.0.0",
        description="Sells",
        camelize=True,
        servers=servers,
        security_schemes=schemes,
    )

    assert generator.generate() == generate_document(ROUTES, options)
    own = AsyncAPIGenerator(ROUTES, server_url="b.example", server_protocol="wss").generate()
    assert own["servers"] == {"production": {"host": "b.example", "protocol": "wss"}}


def test_a_server_that_says_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="'main' of AsyncAPIGenerator has no protocol: write"):
        AsyncAPIGenerator(ROUTES, servers={"main": {"host": "a.example"}})
