"""The import paths of earlier releases."""

import importlib

import pytest

NAMES = {
    "": ["asyncapi_docs", "asyncapi_spec_json", "asyncapi_spec_yaml"],
    ".views": ["asyncapi_docs", "asyncapi_spec_json", "asyncapi_spec_yaml"],
    ".consumer": [
        "AsyncConsumer",
        "AsyncHttpConsumer",
        "AsyncJsonWebsocketConsumer",
        "AsyncWebsocketConsumer",
    ],
    ".type_defs": ["AsyncAPIConfig"],
    ".websocket": ["AsyncJsonWebsocketConsumer", "ReceiveEvent"],
    ".testing": ["WebsocketCommunicator", "use_channel_layer"],
    ".routing": ["add_websocket_consumer"],
}


@pytest.mark.parametrize("module", NAMES)
def test_the_same_objects_under_both_paths(module: str) -> None:
    ours = importlib.import_module(f"chanx.fast_channels{module}")
    earlier = importlib.import_module(f"chanx.ext.fast_channels{module}")

    assert sorted(earlier.__all__) == sorted(NAMES[module])
    for name in NAMES[module]:
        assert getattr(earlier, name) is getattr(ours, name)


@pytest.mark.parametrize("module", ["chanx.fast_channels", "chanx.ext.fast_channels"])
def test_an_unknown_name_is_an_attribute_error(module: str) -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = importlib.import_module(module).nothing
