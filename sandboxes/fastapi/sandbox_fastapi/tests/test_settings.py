"""What the environment may say."""

import pytest

from sandbox_fastapi.settings import Settings


def test_defaults() -> None:
    """An empty variable counts as absent."""
    settings = Settings.from_environment({"REDIS_URL": " ", "SEND_COMPLETION": ""})

    assert settings == Settings(redis_url=None, send_completion=False, log_websocket=True)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", True),
        ("True", True),
        (" yes ", True),
        ("on", True),
        ("0", False),
        ("false", False),
        ("NO", False),
    ],
)
def test_truth_values(text: str, value: bool) -> None:
    """ "0" and "false" are false, unlike in bool("false")."""
    assert Settings.from_environment({"SEND_COMPLETION": text}).send_completion is value


def test_a_value_that_is_no_truth_value() -> None:
    """The variable is named."""
    with pytest.raises(ValueError, match=r"LOG_WEBSOCKET must be .* and is 'maybe'"):
        Settings.from_environment({"LOG_WEBSOCKET": "maybe"})
