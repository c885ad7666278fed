"""Reports that are written to a file when a run ends."""
