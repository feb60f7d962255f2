"""Pending work, and the list of jobs."""
