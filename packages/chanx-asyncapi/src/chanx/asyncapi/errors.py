"""What the commands, and the functions behind them, raise."""

__all__ = ["InputError"]


class InputError(Exception):
    """What was given cannot be worked with; the text is one sentence for the person who gave it."""
