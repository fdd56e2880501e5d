"""`manage.py generate_asyncapi_schema`: the AsyncAPI document as a file."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.module_loading import import_string

try:
    from chanx.asyncapi import ConsumerRoute, DocumentOptions, publish
    from chanx.asyncapi.publication import Format
    from chanx.channels.discovery import DjangoRouteDiscovery
    from chanx.channels.document import document_options
except ModuleNotFoundError as _error:
    if _error.name not in ("chanx.asyncapi", "yaml"):
        raise
    raise CommandError(
        'generate_asyncapi_schema needs chanx-asyncapi: pip install "chanx-django[asyncapi]"'
    ) from _error

__all__ = ["Command", "SchemaGenerationError"]


class SchemaGenerationError(CommandError):
    """The document could not be written."""


class Command(BaseCommand):
    """Writes the document of what ASGI_APPLICATION serves."""

    help = "Write the AsyncAPI document of the consumers that ASGI_APPLICATION serves."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add what wins over the settings."""
        parser.add_argument("--format", choices=("json", "yaml"), default="yaml")
        parser.add_argument("--file", type=Path, help="file to write; standard output without it")
        parser.add_argument("--base-url", help="where clients connect to, like wss://example.com")
        parser.add_argument("--title")
        parser.add_argument("--api-version", help="version of the API that the document names")
        parser.add_argument("--description")
        parser.add_argument(
            "--discovery-class",
            default=f"{DjangoRouteDiscovery.__module__}.{DjangoRouteDiscovery.__name__}",
            help="dotted path of a class whose discover_routes() returns the routes to document",
        )

    # Any: options come as argparse made them.
    def handle(self, *args: Any, **options: Any) -> None:
        """Write the document."""
        try:
            document = self._document(options)
            self._write(document, options["file"])
        except Exception as error:
            raise SchemaGenerationError(f"Failed to generate schema: {error}") from error

    def _document(self, options: dict[str, Any]) -> str:
        routes = _routes(options["discovery_class"])
        if not routes:
            self.stderr.write(self.style.WARNING("ASGI_APPLICATION serves no consumer."))
        publication = publish(routes, _options(options), cast(Format, options["format"]))
        return publication.content.decode()

    def _write(self, document: str, file: Path | None) -> None:
        if file is None:
            self.stdout.write(document, ending="")
            return
        file.write_text(document, encoding="utf-8")
        self.stdout.write(f"AsyncAPI schema successfully generated: {file}")


def _routes(discovery_class: str) -> tuple[ConsumerRoute, ...]:
    found = import_string(discovery_class)
    if not hasattr(found, "discover_routes"):
        raise CommandError(
            f"--discovery-class {discovery_class} has no method discover_routes(): "
            f"write a subclass of {DjangoRouteDiscovery.__module__}.{DjangoRouteDiscovery.__name__}."
        )
    return tuple(found().discover_routes())


def _options(given: dict[str, Any]) -> DocumentOptions:
    """Put what the command line says over what the settings say."""
    names = {
        "server_url": "base_url",
        "title": "title",
        "version": "api_version",
        "description": "description",
    }
    said = {field: given[name] for field, name in names.items() if given[name] is not None}
    if "server_url" in said:
        # The address has the last word about the protocol too.
        said |= {"server_protocol": None, "servers": None}
    return replace(document_options(), **said)
