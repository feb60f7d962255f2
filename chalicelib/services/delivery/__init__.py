"""Deliver to inboxes and connections."""
