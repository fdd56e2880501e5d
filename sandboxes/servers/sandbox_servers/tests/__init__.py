"""Tests with real servers and real sockets."""
