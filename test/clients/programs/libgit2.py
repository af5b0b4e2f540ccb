"""libgit2, through pygit2: `libgit2.py clone <url> <dir>`, `fetch <url> <dir>`, `push <url> <dir> <ref>`."""
import sys

import pygit2


def main(verb, url, directory, ref=None):
    if verb == "clone":
        pygit2.clone_repository(url, directory, bare=True)
        return
    remote = pygit2.Repository(directory).remotes["origin"]  # as the clone made it
    if verb == "fetch":
        remote.fetch(["+refs/heads/*:refs/heads/*"])
    elif verb == "push":
        remote.push([f"{ref}:{ref}"])


main(*sys.argv[1:])
