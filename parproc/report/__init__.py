"""How a run is shown and written down.

Everything here reads one stream of messages: what the scheduler announces, and what is said of the run as a whole.

- ``reporter``: the base class, with a method for each kind of message; ``fanout`` hands each message to all reporters
- ``choose_reporters``: which reporter shows a run, of the command line or of a program
- ``board``: draws on a terminal while the run goes on: bars, rows, keys
- ``lines``: adds lines below each other: plain, quiet, raw, stream, group, github, mode ``single``
- ``files``: writes reports when the run ends: JUnit, HTML, trace, the summary of a step on GitHub
- ``run_events``: tells programs, as JSON or by calling a function
- ``program``: what a program shows of the procs that it runs, while it waits for them
- ``history_recorder``: hands what happened to the history
- ``logs``: reads what tasks have written; ``streams``: writes without waiting for who reads
- ``style``, ``summary``, ``status``, ``wait_over``: the words, signs and colours that reporters share
"""
