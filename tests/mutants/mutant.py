"""A mutant: one planted bug, as a patch whose head says in one line what it breaks.

    breaks: a waiter that times out keeps the wake it was given
    caught by: lock.mutex.dropped_job_*          (optional: run first; a pattern; several with commas)
    build: debug                                 (optional: release, debug or tsan; release if it does not say)

    --- a/src/mortise/lock/mutex.cpp
    +++ b/src/mortise/lock/mutex.cpp
    ...
"""

import dataclasses
import os
import pathlib
import re
import subprocess

BUILDS = ("release", "debug", "tsan")
FIELDS = ("breaks", "caught by", "build")


class Trouble(Exception):
    """A mutant that shows nothing: it is not one, does not apply, does not compile, or its tests do not exist."""


@dataclasses.dataclass(frozen=True)
class Mutant:
    path: pathlib.Path
    breaks: str
    expected: tuple  # patterns of test names
    build: str
    files: tuple     # that the patch changes

    @property
    def name(self):
        return self.path.stem


def parse(path):
    text = path.read_text()
    head, _, diff = ("\n" + text).partition("\n--- ")
    fields = {}
    for line in head.splitlines():
        if not line.strip() or line.startswith(("diff ", "index ")):
            continue
        key, colon, value = line.partition(":")
        if not colon or key not in FIELDS:
            raise Trouble(f"{path.name}: '{line}' is none of {', '.join(FIELDS)}")
        if key in fields:
            raise Trouble(f"{path.name}: says '{key}' twice")
        if not value.strip():
            raise Trouble(f"{path.name}: '{key}' says nothing")
        fields[key] = value.strip()
    if "breaks" not in fields:
        raise Trouble(f"{path.name}: does not say what it breaks")
    build = fields.get("build", "release")
    if build not in BUILDS:
        raise Trouble(f"{path.name}: build '{build}' is none of {', '.join(BUILDS)}")
    files = tuple(re.findall(r"^\+\+\+ b/(\S+)", text, re.MULTILINE))
    if not diff or not files:
        raise Trouble(f"{path.name}: changes nothing")
    expected = tuple(p.strip() for p in fields.get("caught by", "").split(",") if p.strip())
    return Mutant(path, fields["breaks"], expected, build, files)


def load(folder):
    """All mutants of a folder, by name."""
    return [parse(p) for p in sorted(folder.glob("*.patch"))]


def git_apply(mutant, tree, *options):
    """Applies a mutant's patch to a tree. The tree need not be a git repository, and may lie inside of another one."""
    tree = tree.resolve()
    outside = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent)}
    for variable in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        outside.pop(variable, None)
    done = subprocess.run(["git", "apply", *options, str(mutant.path.resolve())], cwd=tree, env=outside,
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise Trouble(f"does not apply: {done.stderr.strip()}")
