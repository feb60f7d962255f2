"""One blueprint a domain; its views are one line each."""

from chalicelib.routes import (
    accounts,
    chats,
    classic,
    docs,
    found,
    health,
    home,
    inbox,
    members,
    messages,
    posts,
    rooms,
    sessions,
    social,
    users,
)

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
    found.blueprint,
    inbox.blueprint,
    chats.blueprint,
    members.blueprint,
    rooms.blueprint,
)
