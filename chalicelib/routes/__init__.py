"""One blueprint for each domain; views are a line or two."""

from chalicelib.routes import (
    accounts,
    chats,
    docs,
    health,
    home,
    inbox,
    members,
    messages,
    posts,
    presence,
    realtime,
    reports,
    scheduled,
    search,
    sessions,
    social,
    users,
)
from chalicelib.routes.legacy import go_chat, tiktok

BLUEPRINTS = (
    accounts.blueprint,
    sessions.blueprint,
    home.blueprint,
    health.blueprint,
    docs.blueprint,
    messages.blueprint,
    scheduled.blueprint,
    reports.blueprint,
    users.blueprint,
    social.blueprint,
    posts.blueprint,
    search.blueprint,
    inbox.blueprint,
    chats.blueprint,
    members.blueprint,
    realtime.blueprint,
    presence.blueprint,
    tiktok.blueprint,
    go_chat.blueprint,
)
