#!/usr/bin/env python3
"""figures.py FILE [--table]: what the models have explored, from the lines that MORTISE_MODEL_FIGURES=FILE has them write.

One line of sums; with --table also the rows of docs/proof.md."""
import json
import sys


def rows_of(lines):
    """One entry for each scenario: its searches through all schedules, summed over both memories."""
    rows = {}
    for line in lines:
        r = json.loads(line)
        if r["search"] != "all schedules":
            continue
        row = rows.setdefault(r["scenario"], {"memories": [], "preemptions": 0, "deviations": 0, "executions": 0,
                                              "states": 0, "steps": 0, "seconds": 0.0})
        row["memories"].append(r["memory"])
        for bound in ("preemptions", "deviations"):
            row[bound] = max(row[bound], r[bound])
        for sum_of in ("executions", "states", "steps", "seconds"):
            row[sum_of] += r[sum_of]
    return rows


def table(rows):
    """A row for each suite, which is a file or a part of one."""
    suites = {}
    for name, r in rows.items():
        suites.setdefault(name.split(".")[0], []).append(r)
    yield "| models | scenarios | preemptions | deviations | executions | states | operations |"
    yield "|---|---|---|---|---|---|---|"
    for suite, of in sorted(suites.items()):
        bounds = (sorted({r[b] for r in of}) for b in ("preemptions", "deviations"))
        spans = (f"{b[0]} to {b[-1]}" if len(b) > 1 else str(b[0]) for b in bounds)
        sums = (f"{sum(r[k] for r in of):,}" for k in ("executions", "states", "steps"))
        yield f"| {suite} | {len(of)} | {' | '.join(spans)} | {' | '.join(sums)} |"


def summary(rows):
    total = {k: sum(r[k] for r in rows.values()) for k in ("executions", "states", "steps")}
    return (f"models: {len(rows)} scenarios, every schedule within their bounds: {total['executions']:,} executions, "
            f"{total['states']:,} states, {total['steps']:,} operations")


def main(arguments):
    if len(arguments) not in (1, 2) or arguments[1:] not in ([], ["--table"]):
        sys.exit(__doc__)
    with open(arguments[0], encoding="ascii") as lines:
        rows = rows_of(lines)
    if arguments[1:]:
        print("\n".join(table(rows)))
    print(summary(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
