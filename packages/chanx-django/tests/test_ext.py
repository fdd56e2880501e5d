"""The import paths of earlier releases."""

import importlib

import pytest

NAMES = {
    "views": ["AsyncAPIDocsView", "AsyncAPISchemaView", "generate_asyncapi_schema"],
    "settings": ["chanx_settings"],
    "websocket": ["AsyncJsonWebsocketConsumer", "ReceiveEvent"],
    "routing": ["include", "path", "re_path"],
    "utils.asgi": ["get_websocket_application"],
}


@pytest.mark.parametrize("module", NAMES)
def test_the_same_objects_under_both_paths(module: str) -> None:
    ours = importlib.import_module(f"chanx.channels.{module}")
    earlier = importlib.import_module(f"chanx.ext.channels.{module}")

    assert sorted(earlier.__all__) == sorted(NAMES[module])
    for name in NAMES[module]:
        assert getattr(earlier, name) is getattr(ours, name)


def test_the_communicators_are_the_same() -> None:
    ours = importlib.import_module("chanx.channels.testing")
    earlier = importlib.import_module("chanx.ext.channels.testing")

    assert sorted(earlier.__all__) == sorted(ours.__all__)
    for name in ours.__all__:
        assert getattr(earlier, name) is getattr(ours, name)
