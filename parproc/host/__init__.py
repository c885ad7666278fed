"""The process and the machine that parproc finds itself in; imports nothing of its own."""
