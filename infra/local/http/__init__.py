"""The HTTP edge of a worker: it reads HTTP/1.1, and calls the Lambda handlers as API Gateway would."""
