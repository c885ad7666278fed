"""Running tasks: executors behind one protocol, and what they run tasks with.

From the top down:

- ``router``: which executor runs a job. ``in_process``: functions in this very process, around which
  ``process_globals`` are exchanged.
- ``processes``: the parent's side of tasks that have processes of their own, from the start to the verdict.
- ``start``: how a child comes about: forked for a function, spawned for a command.
- ``child``: the child's side. ``process_prologue`` and ``job_prologue`` are what it does before user code, ``run_job``
  runs that, ``finish`` tells how it ended; ``fresh_interpreter`` puts a new interpreter in the place of a fork.
- ``supervision``: whose process is whose (``ownership``), how a signal reaches a whole tree and how one is killed
  (``kill_tree``), what tasks leave running (``orphans``), and the process that cleans up when parproc is killed
  (``reaper``).
- ``messages`` and ``wire``: what a child says, as values and as bytes.
- ``protocol``: the seam to the engine: jobs in, reports out.
- ``cpython``: every private name of the standard library that is used, with its reason.
"""
