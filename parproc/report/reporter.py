"""What shows or writes down a run: one method for each kind of message, of which a reporter has those it cares for."""

from __future__ import annotations

from parproc.core.closed import assert_never
from parproc.core.events import (
    Announcement,
    RunStopping,
    TaskFinished,
    TaskReopened,
    TaskResumed,
    TaskRetrying,
    TaskStarted,
    TaskWaiting,
    TaskWanted,
)
from parproc.core.view import Message, RunBegan, RunEnded, RunView, RunWarned, TaskLogged, TaskProgressed
from parproc.report.wait_over import WaitOver


class Reporter:
    """Shows a run; all it knows is the messages and their fold, a :class:`RunView`.

    Every method does nothing unless a reporter says otherwise. Of what it raises, BrokenPipeError says that nobody reads
    any more, and anything else that it cannot go on: it is dropped, and the run goes on without it. A UserError then
    says to the user why; anything else is a mistake in the reporter, and is shown as one.

    Attributes:
        draws_board: it draws on the terminal all the time, so that keys mean something to it, others on the terminal ask
            it to step aside, and no second one can do so beside it.
    """

    draws_board: bool = False

    @property
    def unread(self) -> bool:
        """Whether it has more to write than was taken by who reads it."""
        return False

    @property
    def written(self) -> int:
        """How many bytes were taken, apart from what went to the outputs of the run."""
        return 0

    # --- messages --------------------------------------------------------------------------------------------------

    def handle(self, message: Announcement | Message, view: RunView) -> None:
        """Take one message of any kind, which is folded into ``view`` already; those that are most come first."""
        if isinstance(message, TaskFinished):
            self.on_task_finished(message, view)
        elif isinstance(message, TaskStarted):
            self.on_task_started(message, view)
        elif isinstance(message, TaskWanted):
            self.on_task_wanted(message, view)
        elif isinstance(message, TaskProgressed):
            self.on_task_progressed(message, view)
        elif isinstance(message, TaskLogged):
            self.on_task_logged(message, view)
        elif isinstance(message, TaskWaiting):
            self.on_task_waiting(message, view)
        elif isinstance(message, TaskResumed):
            self.on_task_resumed(message, view)
        elif isinstance(message, TaskRetrying):
            self.on_task_retrying(message, view)
        elif isinstance(message, TaskReopened):
            self.on_task_reopened(message, view)
        elif isinstance(message, RunBegan):
            self.on_run_began(message, view)
        elif isinstance(message, RunWarned):
            self.on_run_warned(message, view)
        elif isinstance(message, RunStopping):
            self.on_run_stopping(message, view)
        elif isinstance(message, RunEnded):
            self.on_run_ended(message, view)
        else:
            assert_never(message)

    def on_run_began(self, message: RunBegan, view: RunView) -> None:
        """Take it that the run starts; only warnings may come before."""

    def on_run_warned(self, message: RunWarned, view: RunView) -> None:
        """Take a warning of what is no task's failure."""

    def on_run_stopping(self, message: RunStopping, view: RunView) -> None:
        """Take it that the run was told to stop."""

    def on_run_ended(self, message: RunEnded, view: RunView) -> None:
        """Take it that the run is over."""

    def on_task_wanted(self, message: TaskWanted, view: RunView) -> None:
        """Take it that a task was scheduled."""

    def on_task_started(self, message: TaskStarted, view: RunView) -> None:
        """Take it that an attempt of a task starts."""

    def on_task_logged(self, message: TaskLogged, view: RunView) -> None:
        """Take what a task says to whoever watches."""

    def on_task_progressed(self, message: TaskProgressed, view: RunView) -> None:
        """Take how far a task says it is."""

    def on_task_waiting(self, message: TaskWaiting, view: RunView) -> None:
        """Take it that a running task waits for others."""

    def on_task_resumed(self, message: TaskResumed, view: RunView) -> None:
        """Take it that a task goes on after waiting."""

    def on_task_retrying(self, message: TaskRetrying, view: RunView) -> None:
        """Take it that an attempt failed, and another one follows."""

    def on_task_finished(self, message: TaskFinished, view: RunView) -> None:
        """Take it that a task is over; ``view.latest`` has how long it took."""

    def on_task_reopened(self, message: TaskReopened, view: RunView) -> None:
        """Take it that how a task ended counts no longer: it will be wanted once more."""

    # --- time ------------------------------------------------------------------------------------------------------

    def next_tick(self, view: RunView) -> float | None:
        """Return when :meth:`tick` should be called, in monotonic seconds; None when it need not be."""
        return None

    def tick(self, now: float, view: RunView) -> None:
        """Time has passed; ``now`` is monotonic seconds. Called more often than asked for."""

    # --- a program that waits --------------------------------------------------------------------------------------

    def begin_wait(self, now: float) -> None:
        """Take it that a program waits from ``now`` on (monotonic seconds), and leaves the terminal to what shows its run."""

    def end_wait(self, wait: WaitOver, view: RunView) -> None:
        """Take it that a program no longer waits, and has its terminal back."""

    # --- the terminal ----------------------------------------------------------------------------------------------

    def suspend(self) -> None:
        """Leave the terminal to somebody else."""

    def resume(self) -> None:
        """Take the terminal back, once each :meth:`suspend` has had its resume."""

    def press(self, key: str, view: RunView) -> None:
        """Do what a key means that was pressed."""

    def say(self, text: str) -> bool:
        """Write text of others where it harms nothing that is drawn.

        Returns:
            Whether it was written; False leaves it to somebody else.
        """
        return False

    def close(self) -> None:
        """Give up what is written to, with all that was not taken."""
