"""The log of a chat, and its outbox."""
