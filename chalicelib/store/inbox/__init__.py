"""A user's inbox, and how far each reader has come."""
