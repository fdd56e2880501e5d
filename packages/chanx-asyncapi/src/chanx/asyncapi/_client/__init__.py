"""Clients from documents: the model that every language is written from."""
