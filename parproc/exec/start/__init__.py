"""How a child comes about: forked for a function, spawned for a command."""
