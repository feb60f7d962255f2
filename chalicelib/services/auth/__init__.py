"""Authenticate a caller: session tokens, outside issuers, account status."""
