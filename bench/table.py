#!/usr/bin/env python3
"""Measures what mortise must reach beside its peers, and prints one table.

    bench/table.py                    everything, five repetitions, about ten minutes
    bench/table.py --quick P1 P8      two of the works, one short repetition
    bench/table.py --json out.jsonl   every sample and every row as JSON lines too

Exit: 0 measured, bars met or not; 1 a contender failed or cannot be believed; 2 bad usage.
"""

import argparse
import json
import pathlib
import signal
import sys

sys.dont_write_bytecode = True  # a run leaves nothing in the source tree

import contenders
import machine
import plan
import render

SOURCE = pathlib.Path(__file__).resolve().parent.parent
IDS = ("P1", "P2", "P3", "P4", "P5", "P8", "idle")


def positive(text):
    if not text.isdecimal() or not 1 <= int(text) <= 100:
        raise argparse.ArgumentTypeError(f"{text} is not in 1..100")
    return int(text)


def options(arguments):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("ids", nargs="*", metavar="ID",
                        help=f"what to measure: {' '.join(IDS)} (default: all)")
    parser.add_argument("--build", type=pathlib.Path, default=SOURCE / "build" / "release",
                        help="the build directory (default: build/release)")
    parser.add_argument("--json", type=argparse.FileType("w"), metavar="FILE",
                        help="also write JSON lines to FILE")
    parser.add_argument("--quick", action="store_true",
                        help="one repetition, shorter runs: a smoke test, no measurement")
    parser.add_argument("-n", "--repetitions", type=positive, help="repetitions (default: 5, with --quick 1)")
    given = parser.parse_args(arguments)
    unknown = [id_ for id_ in given.ids if id_ not in IDS]
    if unknown:
        parser.error(f"{unknown[0]} is none of {' '.join(IDS)}")
    given.repetitions = given.repetitions or (1 if given.quick else 5)
    return given


def say(text):
    print(text, file=sys.stderr, flush=True)


class Measurement:
    """Runs works, keeps samples by bench name, and what went wrong by the same names."""

    def __init__(self, repetitions, sink):
        self.m_repetitions = repetitions
        self.m_sink = sink
        self.samples = {}
        self.trouble = {}

    def write(self, line):
        if self.m_sink:
            print(json.dumps(line), file=self.m_sink, flush=True)

    def once(self, work, contender, repetition):
        say(f"{work.id} {repetition + 1}/{self.m_repetitions} {contender.name}")
        for record in contenders.run(contender):
            if "skipped" in record:
                self.trouble[record["bench"]] = f"skipped: {record['skipped']}"
                continue
            self.samples.setdefault(record["bench"], []).append(record)
            self.write({**record, "id": work.id, "repetition": repetition + 1})

    def measure(self, work):
        """Every contender once, then every contender again, each time beginning with the next one.

        One that failed is not run again: its verdict is known, and five times a hang is no more than one.
        """
        ready = []
        for contender in work.contenders:
            absent = contender.absent()
            if absent:
                say(f"{work.id} {contender.name}: {absent}")
                self.blame(work, contender, absent)
            else:
                ready.append(contender)
        for repetition in range(self.m_repetitions):
            turn = repetition % max(len(ready), 1)
            for contender in ready[turn:] + ready[:turn]:
                try:
                    self.once(work, contender, repetition)
                except contenders.Failed as failure:
                    say(f"{work.id} {contender.name}: failed: {failure}")
                    self.blame(work, contender, f"failed: {failure}")
                    ready = [other for other in ready if other is not contender]

    def blame(self, work, contender, why):
        """A program that reports for several contenders fails for all of those that nobody else reports."""
        others = {other.name for other in work.contenders if other is not contender}
        measured = {contender.name} if any(row.bench == contender.name for row in work.rows) else \
                   {row.bench for row in work.rows} - others
        for bench in measured:
            self.trouble[bench] = why

    def summarise(self, works):
        rows = []
        for work in works:
            for row in work.rows:
                result = render.summary(work, row, self.samples, self.trouble)
                self.write(result)
                rows.append(render.cells(row, result))
        return rows


def main(arguments):
    given = options(arguments)
    works = [work for work in plan.Plan(given.build, given.quick).works()
             if not given.ids or work.id in given.ids]
    description = machine.describe(given.build, SOURCE)
    quick = ", quick: a smoke test, no measurement" if given.quick else ""
    description["repetitions"] = f"{given.repetitions}{quick}"
    measurement = Measurement(given.repetitions, given.json)
    measurement.write({"machine": description})

    interrupted = False
    try:
        for work in works:
            measurement.measure(work)
    except KeyboardInterrupt:
        interrupted = True
        say("interrupted: the table holds what was measured")
    print(machine.as_text(description))
    print()
    print(render.table(measurement.summarise(works)))
    if interrupted:
        return 128 + signal.SIGINT
    return 1 if any(why.startswith("failed") for why in measurement.trouble.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
