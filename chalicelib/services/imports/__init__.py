"""Import users from another server."""
