"""The parts of the codec, between wire text and messages."""
