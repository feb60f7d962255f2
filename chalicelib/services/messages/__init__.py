"""Sending messages and reading them."""
