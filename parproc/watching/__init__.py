"""Changes of files, noticed."""
