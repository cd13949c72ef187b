"""How each contender is run, and how what it printed becomes records.

A contender is one process. It prints one JSON object a line; a line that says its own name in "bench" keeps
it, the only line of a program that does not (`mortise run --json`) is given the contender's. A line with
"skipped" says why a peer inside that program could not be measured.
"""

import dataclasses
import json
import os
import shutil
import subprocess


@dataclasses.dataclass(frozen=True)
class Contender:
    name: str
    command: tuple
    environment: tuple = ()
    renamed: bool = False  # its own name says less: GOMAXPROCS by default, or set to the same

    def absent(self):
        """Why it cannot be run, or None."""
        program = self.command[0]
        name = os.path.basename(program)
        if os.access(program, os.X_OK):
            return None
        if "peers/go/" in program and shutil.which("go") is None:
            return "skipped: go not installed"
        if "peers/" in program:
            return f"skipped: peer {name} is not built"
        return f"failed: {name} is not built"


class Failed(Exception):
    """A contender that ended badly, or whose result cannot be believed."""


def complaint(record):
    """Why a record is no result, or None."""
    for key in ("overlaps", "map_mismatches", "early"):
        if record.get(key, 0) != 0:
            return f"{key} {record[key]}"
    if record.get("ops", 1) <= 0:
        return "ops 0"
    if record.get("interrupted", False):
        return "interrupted"
    return None


def records_of(contender, output):
    try:
        records = [json.loads(line) for line in output.splitlines() if line.strip()]
    except ValueError:
        records = None
    if not records or not all(isinstance(record, dict) for record in records):
        raise Failed("its output is not JSON lines")
    for record in records:
        if contender.renamed or "bench" not in record:
            record["bench"] = contender.name
        problem = complaint(record)
        if problem:
            raise Failed(f"{record['bench']}: {problem}")
    return records


def run(contender, timeout_s=60):
    """Runs it once; its records, or Failed with the reason in one line."""
    try:
        done = subprocess.run(contender.command, capture_output=True, text=True, check=False,
                              timeout=timeout_s, env={**os.environ, **dict(contender.environment)})
    except subprocess.TimeoutExpired:
        raise Failed(f"no end within {timeout_s} s") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or done.stdout.strip().splitlines() or ["no word"]
        how = f"signal {-done.returncode}" if done.returncode < 0 else f"exit {done.returncode}"
        raise Failed(f"{how}: {said[-1][:160]}")
    return records_of(contender, done.stdout)
