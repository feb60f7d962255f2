"""Users of another server, brought here from the command line."""
