"""Between wire text and messages: the parts of the codec."""
