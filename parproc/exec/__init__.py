"""Ways to run a task: in a forked child, or in this process."""
