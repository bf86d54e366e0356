"""A small command line for scripts and for a first look: `python -m incus_sdk --help`."""

from __future__ import annotations

import signal
import sys

if __name__ == "__main__":
    # Until there is something to be cleaned up after Ctrl-C, that just ends the process: as an exception, it would be
    # raised from within an import, which shows a traceback, and can leave a library of C code half made.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    from ._cli import main

    sys.exit(main())
