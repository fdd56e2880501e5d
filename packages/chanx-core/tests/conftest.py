"""Profiles of the property tests: `pytest --hypothesis-profile=thorough` looks long."""

from hypothesis import settings

settings.register_profile("thorough", max_examples=2000)
