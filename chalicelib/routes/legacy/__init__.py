"""The paths of the systems that Parley replaces."""
