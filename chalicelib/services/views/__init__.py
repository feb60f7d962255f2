"""Stored records as the API shows them."""
