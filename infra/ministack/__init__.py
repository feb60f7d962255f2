"""MiniStack, which has the WebSocket APIs that LocalStack lacks: its environment, and the deployed stack."""
