"""Search for users, groups and rooms."""
