"""Counting, and notifying observers."""
