"""The events that programs are told: as JSON, and as calls of a function."""
