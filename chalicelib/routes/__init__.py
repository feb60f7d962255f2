"""One blueprint a domain; its views are one line each."""

from chalicelib.routes import accounts, classic, docs, health, home, messages, posts, social, users

BLUEPRINTS = (
    accounts.blueprint,
    home.blueprint,
    health.blueprint,
    docs.blueprint,
    classic.blueprint,
    messages.blueprint,
    users.blueprint,
    social.blueprint,
    posts.blueprint,
)
