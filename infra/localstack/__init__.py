"""LocalStack without Docker: its own environment, a store, the deployed stack, and a clean end."""
