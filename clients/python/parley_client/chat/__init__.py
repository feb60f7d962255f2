"""A chat in the terminal: `parley-chat --user alice`, or `make chat USER=alice`."""
