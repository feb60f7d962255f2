"""Connections: by id, of users, attached to chats."""
