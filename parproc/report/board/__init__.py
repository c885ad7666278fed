"""A board on a terminal, drawn anew while the run goes on: a bar for the whole, a row for each running task."""
