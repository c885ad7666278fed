"""All that is declared: names to procs, protos, globs, suggestions, and what scheduling some of them means."""
