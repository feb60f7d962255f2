"""Names, ids, times, cursors and texts: rules that need no store."""
