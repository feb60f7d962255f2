"""Inbox, sync and read state."""
