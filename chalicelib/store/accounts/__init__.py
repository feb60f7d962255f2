"""Accounts, sessions, claims and limits."""
