"""The helpers of `chanx.channels.utils`."""
