"""The connection to the store: nodes, queries, scripts, failures."""
