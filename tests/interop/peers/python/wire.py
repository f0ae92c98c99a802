"""What server and client share: names of errors, the test pattern, lines in and out."""

import os
import signal
import sys
import threading

from tchannel import errors, thrift
from tornado.ioloop import IOLoop

THRIFT_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "kv.thrift")

# Most specific first: some local errors derive from one with a code of its own.
KINDS = [
    (errors.NoAvailablePeerError, "declined"),
    (errors.TimeoutError, "timeout"),
    (errors.CanceledError, "cancelled"),
    (errors.BusyError, "busy"),
    (errors.DeclinedError, "declined"),
    (errors.UnexpectedError, "unexpected"),
    (errors.BadRequestError, "bad-request"),
    (errors.NetworkError, "network"),
    (errors.UnhealthyError, "unhealthy"),
    (errors.FatalProtocolError, "protocol"),
]

# A period that is prime and divides no frame size, so that a lost or swapped fragment shows.
PERIOD = bytes(range(251))


def kind_of(error):
    for error_type, kind in KINDS:
        if isinstance(error, error_type):
            return kind
    return "other"


def pattern(length):
    return (PERIOD * (length // len(PERIOD) + 1))[:length]


def load_thrift(service):
    return thrift.load(THRIFT_FILE, service=service)


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def run_with_lines(start, on_line):
    """Runs `start()` and the loop until stdin closes or a signal says stop."""
    loop = IOLoop.current()

    def read():
        for line in sys.stdin:
            loop.add_callback(on_line, line.rstrip("\n"))
        loop.add_callback(loop.stop)

    def begin():
        start()
        threading.Thread(target=read, daemon=True).start()

    signal.signal(signal.SIGTERM, lambda *_: loop.add_callback_from_signal(loop.stop))
    loop.add_callback(begin)
    loop.start()
