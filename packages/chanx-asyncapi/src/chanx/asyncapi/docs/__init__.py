"""A page that shows a document: plain HTML and one stylesheet, nothing from elsewhere and no script."""

from chanx.asyncapi.docs._assets import Asset, asset
from chanx.asyncapi.docs._page import docs_page
from chanx.core import _guard as _guard

__all__ = ["PAGE_HEADERS", "Asset", "asset", "docs_page"]

# What a browser may do with the page, for the integrations to send along.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
