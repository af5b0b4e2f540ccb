"""dulwich as a peer of the benchmark:

    dulwich.py version
    dulwich.py ingest <git-dir>    pack on standard input; writes .pack and .idx
    dulwich.py serve <git-dir>     protocol v0 request on standard input
"""
import os
import sys

# This file has the library's name; its folder must not come first where modules are looked for.
sys.path.pop(0)

import dulwich  # noqa: E402
from dulwich.protocol import Protocol  # noqa: E402
from dulwich.repo import Repo  # noqa: E402
from dulwich.server import DictBackend, UploadPackHandler  # noqa: E402


def ingest(git_dir):
    def read_all(size):
        return sys.stdin.buffer.read(size)

    Repo(git_dir).object_store.add_thin_pack(read_all, sys.stdin.buffer.read1)


def serve(git_dir):
    out = sys.stdout.buffer
    backend = DictBackend({b"/": Repo(git_dir)})
    proto = Protocol(sys.stdin.buffer.read, out.write)
    UploadPackHandler(backend, [b"/"], proto, stateless_rpc=True).handle()
    out.flush()


def main(arguments):
    if arguments == ["version"]:
        print(".".join(str(part) for part in dulwich.__version__))
    elif len(arguments) == 2 and arguments[0] == "ingest":
        ingest(arguments[1])
    elif len(arguments) == 2 and arguments[0] == "serve":
        serve(arguments[1])
    else:
        return 129
    return 0


sys.exit(main(sys.argv[1:]))
