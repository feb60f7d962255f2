"""Groups and rooms, and how a reader sees a chat."""
