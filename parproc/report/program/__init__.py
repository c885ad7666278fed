"""What a program shows of the procs that it runs."""
