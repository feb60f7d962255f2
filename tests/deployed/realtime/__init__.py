"""The socket, by its contract, on whatever serves it."""
