"""A TChannel service or client on PyPI `tchannel`; the contract is in ../README.md."""

import argparse
import sys

from client import converse
from server import serve


def main():
    parser = argparse.ArgumentParser()
    roles = parser.add_subparsers(dest="role", required=True)
    server = roles.add_parser("server")
    server.add_argument("--service", required=True)
    server.add_argument("--listen", default="127.0.0.1:0")
    server.add_argument("--routers", default="")
    roles.add_parser("client")
    flags = parser.parse_args()

    if flags.role == "server":
        serve(flags)
    else:
        converse()


if __name__ == "__main__":
    sys.exit(main())
