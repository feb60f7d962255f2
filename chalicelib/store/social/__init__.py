"""Follows, blocks, posts and timelines."""
