"""All that is declared: names to tasks, families of procs, globs, suggestions, and what scheduling takes."""
