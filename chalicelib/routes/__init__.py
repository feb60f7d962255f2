"""One blueprint a domain; its views are one line each."""

from chalicelib.routes import accounts, classic, docs, health, home, messages, posts, sessions, social, users

BLUEPRINTS = (
    accounts.blueprint,
    sessions.blueprint,
    home.blueprint,
    health.blueprint,
    docs.blueprint,
    classic.blueprint,
    messages.blueprint,
    users.blueprint,
    social.blueprint,
    posts.blueprint,
)
