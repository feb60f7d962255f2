"""What the API shows of stored records."""
