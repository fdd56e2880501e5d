"""Accounts: who may come in, and how."""
