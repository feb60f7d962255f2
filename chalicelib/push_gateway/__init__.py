"""Push frames to connections: API Gateway's management API, or the local server instead."""
