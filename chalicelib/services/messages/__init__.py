"""Send to a chat and read it."""
