"""One socket for the rooms, the chat and the notifications: each is a topic."""
