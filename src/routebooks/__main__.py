"""The command `routebooks`, and `python -m routebooks`: loads the program, then runs it."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run what was typed."""
    # The libraries take a second or more to load. Ctrl-C has nothing to clean up then: it ends the process at once.
    handler = signal.getsignal(signal.SIGINT)
    if handler is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from routebooks import app

    signal.signal(signal.SIGINT, handler)
    try:
        app.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
