"""Pending work, done after the answer, by the queue or by the sweep."""
