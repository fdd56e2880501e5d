"""Turn into another program, one that the kernel ends as soon as the process that started it is gone.

    python die_with_parent.py PARENT_PID PROGRAM [ARGUMENT ...]

A parent that is killed (SIGKILL) cannot stop its children, so on Linux each child asks the kernel for
a SIGTERM at its parent's death. The request has to be made by the child itself and outlives exec();
making it in a program of its own keeps Python code out of the moment between fork() and exec().
Elsewhere the program is simply run: children then end on every way out of the parent but SIGKILL.
"""

import ctypes
import os
import signal
import sys

__all__ = ["main"]

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Ask for the signal and become `command`."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before the request, which therefore comes too late
            sys.exit(f"{command[0]} was not started: the process that asked for it is gone.")
    os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
