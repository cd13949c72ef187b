"""Samples to rows, rows to a table. A loss is printed exactly as a win is."""

import statistics


def best_median(row, benches, samples):
    """The best median of some benches in this row's metric (more ops, or less of anything else), or None."""
    medians = [statistics.median(map(row.of, samples[bench])) for bench in benches if samples.get(bench)]
    better = max if row.metric.startswith("ops") else min
    return better(medians) if medians else None


def formatted_bar(row):
    if row.bar is None:
        return "-"
    parts = [row.show(row.bar.absolute)] if row.bar.absolute is not None else []
    parts += [f"{ratio:g}x {label}" for ratio, (label, _) in zip(row.bar.ratios, row.peers)]
    return f"{row.bar.sense} {', '.join(parts)}"


def summary(work, row, samples, trouble):
    """One row's result as a JSON object: median, min, max and ratios, or a note that says why not."""
    result = {"id": work.id, "work": work.title, "bench": row.bench, "metric": row.metric,
              "bar": formatted_bar(row), "met": None}
    records = samples.get(row.bench)
    if not records:
        result["note"] = trouble.get(row.bench, "skipped: not measured")
        # What ought to have been measured and failed has not met its bar.
        if row.bar is not None and result["note"].startswith("failed"):
            result["met"] = False
        return result
    if row.bench in trouble:
        result["note"] = trouble[row.bench]
    values = [row.of(record) for record in records]
    median = statistics.median(values)
    peers = {label: best_median(row, benches, samples) for label, benches in row.peers}
    ratios = {label: median / peer if peer else None for label, peer in peers.items()}
    result.update(median=median, min=min(values), max=max(values), ratios=ratios)
    if row.bar is not None:
        result["met"] = False if row.bench in trouble else row.bar.met(median, list(ratios.values()))
    return result


def cells(row, result):
    verdict = {True: "met", False: "NOT MET", None: "-" if row.bar is None else "unknown"}[result["met"]]
    head = [result["id"], f"{result['work']}: {row.metric}", row.bench]
    if "median" not in result:
        return [*head, result["note"], "", "", result["bar"], verdict]
    span = f"{row.show(result['min'])} .. {row.show(result['max'])}"
    ratios = ", ".join(f"{ratio:.2f}x {label}" if ratio is not None else f"no {label}"
                       for label, ratio in result["ratios"].items())
    return [*head, row.show(result["median"]), span, ratios or "-", result["bar"],
            f"{verdict} ({result['note']})" if "note" in result else verdict]


HEADINGS = ["id", "work", "contender", "median", "min .. max", "ratio to the peer", "bar", "met"]


def table(rows):
    """Rows of cells as text. A note (`skipped: ...`) runs over the columns that it leaves empty."""
    notes = [row[3] != "" and row[4] == "" for row in rows]
    widths = [max([len(heading)] + [len(row[i]) for row, note in zip(rows, notes) if not (note and i == 3)])
              for i, heading in enumerate(HEADINGS)]

    def line(cells_, note=False):
        out = [cell.ljust(width) for cell, width in zip(cells_, widths)]
        if note:
            out[3:6] = [cells_[3].ljust(sum(widths[3:6]) + 4)]
        return "  ".join(out).rstrip()

    lines = [line(HEADINGS), line(["-" * width for width in widths])]
    previous = None
    for row, note in zip(rows, notes):
        if previous is not None and row[0] != previous:
            lines.append("")
        previous = row[0]
        lines.append(line(row, note))
    return "\n".join(lines)
