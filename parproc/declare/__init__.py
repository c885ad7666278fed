"""One declaration: its keywords, their checks, the signature of its function, casting."""
