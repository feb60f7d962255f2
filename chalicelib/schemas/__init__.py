"""The types on the wire, one file a domain."""
