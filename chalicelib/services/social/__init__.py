"""Follows, blocks, posts and the feed."""
