"""The child's side of a task: what a forked process does before, around and after the task's function."""
