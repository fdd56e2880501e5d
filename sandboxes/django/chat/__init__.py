"""Group chats and direct messages."""
