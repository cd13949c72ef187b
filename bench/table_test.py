#!/usr/bin/env python3
"""The table itself: a loss reads as a loss, a missing peer is skipped, what cannot be believed is refused."""

import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import contenders
import plan
import render
import table
from contenders import Contender
from plan import Bar, Row, Work


def printing(name, *lines):
    return Contender(name, (sys.executable, "-c", "print({!r})".format("\n".join(lines))))


def measured(*runs, row, repetitions=1):
    work = Work("P0", "a work", runs, (row,))
    measurement = table.Measurement(repetitions, None)
    table.say = lambda text: None
    measurement.measure(work)
    result = render.summary(work, row, measurement.samples, measurement.trouble)
    return result, measurement.summarise([work])[0]


def ops_row(bar, *peers):
    return Row("ops/s", "ours", plan.ops_per_s, plan.grouped, peers, bar)


class Table(unittest.TestCase):
    # A verdict that compares the wrong way round would show every loss as a win.
    def test_a_median_below_its_bar_is_not_met(self):
        result, cells = measured(printing("ours", '{"ops": 9, "ops_per_s": 9}'), row=ops_row(Bar(">=", 10)))
        self.assertIs(result["met"], False)
        self.assertEqual(cells[-1], "NOT MET")

    # A ratio taken against the weaker of two peers would flatter us.
    def test_the_best_of_the_peers_counts(self):
        runs = [printing(name, f'{{"ops": 1, "ops_per_s": {ops}}}')
                for name, ops in (("ours", 30), ("a", 10), ("b", 20))]
        peers = (("go", ("a",)), ("go's best", ("a", "b")))
        result, _ = measured(*runs, row=ops_row(Bar(">=", ratios=(3, 2)), *peers))
        self.assertEqual(result["ratios"], {"go": 3, "go's best": 1.5})
        self.assertIs(result["met"], False)

    # A peer that is not there must not turn into a bar that is met, nor into a failure of ours.
    def test_a_missing_peer_leaves_a_ratio_unknown(self):
        runs = [printing("ours", '{"ops": 9, "ops_per_s": 9}'), Contender("a", ("/no/peers/go/a",))]
        result, cells = measured(*runs, row=ops_row(Bar(">=", ratios=(2,)), ("go", ("a",))))
        self.assertIsNone(result["met"])
        self.assertEqual(cells[5], "no go")
        self.assertEqual(cells[-1], "unknown")

    # A lock that lets two in is fast.
    def test_a_result_with_overlaps_is_refused(self):
        record = '{"ops": 99, "ops_per_s": 99, "overlaps": 1}'
        result, cells = measured(printing("ours", record), row=ops_row(Bar(">=", 10)))
        self.assertIs(result["met"], False)
        self.assertEqual(cells[3], "failed: ours: overlaps 1")

    # A program that crashed in one repetition of five must not pass on the four others.
    def test_a_failure_in_any_repetition_is_not_met(self):
        with tempfile.TemporaryDirectory() as folder:
            once = pathlib.Path(folder) / "once"
            script = f"open({str(once)!r}, 'x'); print('{{\"ops_per_s\": 99}}')"
            ours = Contender("ours", (sys.executable, "-c", script))
            result, cells = measured(ours, row=ops_row(Bar(">=", 10)), repetitions=2)
        self.assertEqual(result["median"], 99)
        self.assertIs(result["met"], False)
        self.assertIn("failed: exit 1", cells[-1])

    # Output that is cut short must be a failure with its name, not a traceback of the driver.
    def test_output_that_is_not_json_is_refused(self):
        with self.assertRaises(contenders.Failed):
            contenders.run(printing("ours", '{"ops_per_s": '))


if __name__ == "__main__":
    unittest.main()
