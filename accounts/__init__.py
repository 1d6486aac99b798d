"""Who are you, what may you do: users, roles, sessions, tokens, second factor."""
