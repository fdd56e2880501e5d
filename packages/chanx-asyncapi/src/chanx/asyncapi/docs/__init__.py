"""A page that shows a document and talks to what it documents; it loads nothing from elsewhere."""

from chanx.asyncapi.docs._assets import Asset, asset
from chanx.asyncapi.docs._page import docs_page, error_page
from chanx.asyncapi.docs._site import static_site

__all__ = ["PAGE_HEADERS", "Asset", "asset", "docs_page", "error_page", "static_site"]

# What a browser may do with the page, for the integrations to send along.
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
