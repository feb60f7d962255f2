"""Groups, rooms and direct chats: creating, changing, members, rules and permissions."""
