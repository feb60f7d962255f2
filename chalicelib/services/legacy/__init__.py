"""APIs of the systems that Parley replaces."""
