"""The page as files, for any web server."""

from collections.abc import Mapping

from chanx.asyncapi.docs._assets import ASSET_NAMES, asset
from chanx.asyncapi.docs._page import docs_page
from chanx.asyncapi.text import to_json_text, to_yaml_text
from chanx.type_defs import JSONObject

__all__ = ["static_site"]


def static_site(document: JSONObject) -> Mapping[str, bytes]:
    """Return the files of the page by name: `index.html`, what it loads, and the document in both formats."""
    found = {name: asset(name) for name in ASSET_NAMES}
    return {
        "index.html": docs_page(document, link=str).encode(),
        "asyncapi.json": to_json_text(document).encode(),
        "asyncapi.yaml": to_yaml_text(document).encode(),
        **{name: file.content for name, file in found.items() if file is not None},
    }
