"""What procs return: how it is encoded, and bytes that processes share."""
