"""Registration, login, passwords, sessions and profiles."""
