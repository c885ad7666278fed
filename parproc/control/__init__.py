"""What the person at the terminal says while a run goes on: signals, and answers to questions of tasks."""
