"""MiniStack as it is started here."""
