"""WebSockets as API Gateway serves them, by picows in the event loop of each worker."""
