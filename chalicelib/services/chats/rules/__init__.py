"""Who may do what in groups and rooms, and what it changes: pure functions that read no store."""
