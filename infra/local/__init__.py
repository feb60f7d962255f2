"""The laptop server: `python -m infra.local` serves the Lambda handlers over HTTP with a store of its own."""
