"""Groups, rooms and direct chats: making, changing, members, permissions."""
