"""Addresses of the project."""

from django.urls import include, path

from chat.views import page

urlpatterns = [
    path("", page, name="page"),
    path("asyncapi/", include("chanx.channels.urls")),
]
