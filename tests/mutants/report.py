"""How the verdicts on mutants are shown: docs/mutants.md, and one line each."""

import re

HEAD = """# Mutants

<!-- Written by `./dev mutants --write`. -->

Planted bugs, and what finds them. Each is a patch in [tests/mutants](../tests/mutants); `./dev mutants` builds and tests the tree with one
after the other. *release*, *debug* (checked locks, AddressSanitizer, UndefinedBehaviorSanitizer) and *tsan* (ThreadSanitizer) are the builds of
`CMakePresets.json`; tests named `model.*` run the code under every schedule. A test that hangs has found the bug as well; it says so. Seconds are for
compiling and testing until the bug is found.

"""
COLUMNS = "| mutant | breaks | caught by | build | seconds |\n|---|---|---|---|---|\n"


def row(verdict):
    by = f"`{verdict['by']}` {verdict['how']}" if verdict["verdict"] == "caught" else f"**{verdict['verdict']}**"
    return (f"| [{verdict['name']}](../tests/mutants/{verdict['name']}.patch) | {verdict['breaks']} | {by} | "
            f"{verdict['build']} | {verdict['seconds']:.0f} |\n")


def rows_of(text):
    """The rows of a table written earlier, by mutant."""
    return {m[1]: m[0] for m in re.finditer(r"^\| \[(\w+)\].*\n", text, re.MULTILINE)}


def table(before, verdicts, names):
    """The whole page: rows of this run, for other mutants the rows that were there, none for what is no more."""
    rows = {**rows_of(before), **{v["name"]: row(v) for v in verdicts}}
    kept = [rows[n] for n in names if n in rows]
    caught = sum("**" not in r for r in kept)
    return f"{HEAD}{caught} of {len(kept)} caught.\n\n{COLUMNS}{''.join(kept)}"


def line(verdict):
    text = f"{verdict['verdict']:8} {verdict['name']} ({verdict['seconds']:.0f} s)"
    if verdict["verdict"] == "caught":
        return f"{text}: {verdict['by']} {verdict['how']}"
    return f"{text}: {verdict['how'] if verdict['verdict'] == 'error' else verdict['breaks']}"
