"""Names, ids, times, cursors, pages and limits: rules that need no store."""
