"""Imports users of another server from the command line."""
