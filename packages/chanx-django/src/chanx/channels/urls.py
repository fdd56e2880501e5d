"""Addresses of the AsyncAPI document: `path("asyncapi/", include("chanx.channels.urls"))`."""

from django.urls import URLPattern, path

from chanx.channels.views import AsyncAPIClientView, AsyncAPIDocsView, AsyncAPISchemaView

__all__ = ["urlpatterns"]

urlpatterns: list[URLPattern] = [
    path("schema/", AsyncAPISchemaView.as_view(), name="asyncapi_schema"),
    path("docs/", AsyncAPIDocsView.as_view(), name="asyncapi_docs"),
    path("client.js", AsyncAPIClientView.as_view(), name="asyncapi_client"),
]
