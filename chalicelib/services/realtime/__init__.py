"""Real time: connections, the frames that they send, and what is pushed to them."""
