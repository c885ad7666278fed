"""What a child does for each job, before its function: log, names of log records, environment."""

from __future__ import annotations

import faulthandler
import os

from parproc.exec.child.log_records import name_records
from parproc.exec.cpython import modules
from parproc.exec.job_log import open_log
from parproc.exec.protocol import Job
from parproc.exec.wire import ChildChannel, Kind, pack_json


def enter_job(job: Job, channel: ChildChannel) -> None:
    """Let this process be the one of ``job``, whose standard input is ``/dev/null`` unless it is interactive."""
    warning = ''
    if not job.interactive:
        log, warning = open_log(job, 0)
        if job.log_path is not None:
            os.dup2(log, 1)
            os.dup2(log, 2)
        if log != 0:
            os.close(log)
    faulthandler.enable(2)
    if 'logging' in modules:
        name_records(job.name)
    environment = os.environ
    for name, value in job.environment.items():
        environment[name] = value
    if warning:
        channel.send(pack_json(Kind.TELL, {'verb': 'warn', 'arguments': {'message': warning}}))
