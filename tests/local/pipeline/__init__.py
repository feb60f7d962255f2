"""Handlers that overlap, and the node that they share."""
