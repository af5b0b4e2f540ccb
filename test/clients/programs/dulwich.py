"""dulwich as a client: `dulwich.py clone <url> <dir>`, `fetch <url> <dir>`, `push <url> <dir> <ref>`."""
import sys

# This file has the library's name; its folder must not come first where modules are looked for.
sys.path.pop(0)

from dulwich import porcelain  # noqa: E402


def main(verb, url, directory, ref=None):
    if verb == "clone":
        porcelain.clone(url, directory, bare=True)
    elif verb == "fetch":
        porcelain.fetch(directory, url)
    elif verb == "push":
        porcelain.push(directory, url, f"{ref}:{ref}")


main(*sys.argv[1:])
