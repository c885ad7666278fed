"""Finding, trusting and loading a project's task files."""
