"""What happens while procs run: one wait for everything, and what it asks."""
