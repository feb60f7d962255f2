"""Handle the frames of connections."""
