"""Handlers that overlap in one event loop, and the store's node that they share."""
