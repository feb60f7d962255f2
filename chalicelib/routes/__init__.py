"""One blueprint a domain; its views are one line each."""

from chalicelib.routes import classic, docs, health, messages

BLUEPRINTS = (health.blueprint, docs.blueprint, classic.blueprint, messages.blueprint)
