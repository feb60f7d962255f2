"""The types on the wire of the systems that Parley replaces."""
