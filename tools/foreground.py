"""foreground - runs a command so that Ctrl-C reaches it alone, and its exit code is ours

usage: foreground.py PROGRAM ARGUMENT...

On Ctrl-C make would die of the signal even though the program under it drains and ends with 0. So the program gets the
terminal and a process group of its own, as a shell gives them to a job. Without a terminal nothing is done but exec.
"""

import os
import signal
import sys


def own_the_terminal(terminal, group):
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    os.tcsetpgrp(terminal, group)
    signal.signal(signal.SIGTTOU, signal.SIG_DFL)


def run_as_job(command, terminal):
    ours = os.getpgrp()
    child = os.fork()
    if child == 0:
        os.setpgid(0, 0)
        own_the_terminal(terminal, os.getpgrp())
        execute(command)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda got, frame: os.kill(child, got))
    status = os.waitpid(child, 0)[1]
    own_the_terminal(terminal, ours)
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code


def execute(command):
    try:
        os.execvp(command[0], command)
    except OSError as error:
        print(f"{command[0]}: {error.strerror}; build it with `make build`", file=sys.stderr)
        os._exit(1)


if __name__ == "__main__":
    terminal = sys.stdin.fileno() if sys.stdin and sys.stdin.isatty() else -1
    if terminal >= 0 and os.tcgetpgrp(terminal) == os.getpgrp():
        sys.exit(run_as_job(sys.argv[1:], terminal))
    execute(sys.argv[1:])
