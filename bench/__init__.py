"""`python -m bench`: how fast, how small and how cheap Parley is on this machine."""
