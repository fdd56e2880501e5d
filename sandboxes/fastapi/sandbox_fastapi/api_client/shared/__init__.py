# Written by `chanx generate-client`: changes are lost when it runs again.
# ruff: noqa
"""What the channels share."""
