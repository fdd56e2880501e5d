"""Rooms that participants join by their address."""
