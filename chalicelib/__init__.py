"""Parley: an instant-messaging backend for AWS Lambda and Redis-compatible stores."""

__version__ = "0.1.0"
