#!/usr/bin/env python3
"""The set test finds what it is there to find, and a seed is the whole of a schedule."""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True

import histories
import schedule
from clients import Clients


class SetTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def write(self, name, *lines, cut=""):
        path = pathlib.Path(self.folder.name) / name
        path.write_text("".join(json.dumps(line) + "\n" for line in lines) + cut)
        return path

    def count(self, adds, final, cut=""):
        """adds: (element, how it ended, or None) of one client; final: what is there at the end."""
        lines = []
        for op, (x, how) in enumerate(adds):
            lines.append({"t": 10 * op, "op": op, "key": "k", "do": "add", "x": x})
            if how:
                lines.append({"t": 10 * op + 5, "op": op, "end": how, **({"at": 0} if how == "ok" else {})})
        last = self.write("last", {"t": 900, "op": 1, "key": "k", "do": "read"}, {"t": 901, "op": 1, "end": "ok", "value": final})
        return histories.set_test([self.write("one", *lines, cut=cut), last], last)

    def test_all_is_well(self):
        n = self.count([(1, "ok"), (2, "lost"), (3, "unknown"), (4, "unknown"), (5, None), (6, "failed")], [1, 4])
        self.assertEqual((n.wrong, n.adds, n.acknowledged, n.lost, n.unknown, n.unknown_applied), (0, 6, 1, 2, 3, 1))

    def test_acknowledged_and_gone(self):
        self.assertEqual(self.count([(1, "ok"), (2, "ok")], [2]).missing, 1)

    def test_applied_twice(self):
        self.assertEqual(self.count([(1, "ok")], [1, 1]).doubled, 1)
        self.assertEqual(self.count([(1, "unknown")], [1, 1]).doubled, 1)

    def test_lost_and_there(self):
        self.assertEqual(self.count([(1, "lost")], [1]).unasked, 1)
        self.assertEqual(self.count([(1, "failed")], [1]).unasked, 1)

    def test_from_nowhere(self):
        self.assertEqual(self.count([(1, "ok")], [1, 7]).unasked, 1)

    def test_a_line_that_was_cut_off_counts_as_pending(self):
        n = self.count([(1, None)], [1], cut='{"t":3,"op":0,"en')
        self.assertEqual((n.wrong, n.unknown, n.unknown_applied), (0, 1, 1))

    def test_a_key_that_nobody_read_is_an_error(self):
        one = self.write("one", {"t": 1, "op": 1, "key": "other", "do": "add", "x": 1})
        last = self.write("last", {"t": 9, "op": 1, "key": "k", "do": "read"}, {"t": 10, "op": 1, "end": "ok", "value": []})
        with self.assertRaises(ValueError):
            histories.set_test([one, last], last)

    def test_who_was_the_last_to_get_something_done(self):
        one = self.write("one", {"t": 1, "op": 1, "key": "k", "do": "add", "x": 1}, {"t": 7, "op": 1, "end": "ok", "at": 0},
                         {"t": 8, "op": 2, "key": "k", "do": "add", "x": 2}, {"t": 9, "op": 2, "end": "lost"})
        self.assertEqual(histories.last_acknowledged(one), 7)


class Stops(unittest.TestCase):
    """A program that stops when told to, but only half a second later, as one does who must wait for the lock."""

    LATE = """
import os, pathlib, signal, sys, time
asked, ends = [], []
signal.signal(signal.SIGUSR2, lambda *_: asked.append(time.monotonic()))
signal.signal(signal.SIGTERM, lambda *_: ends.append(1))
pathlib.Path(sys.argv[sys.argv.index("--history") + 1]).touch()
while asked or not ends:
    time.sleep(0.01)
    if asked and time.monotonic() > asked[0] + 0.5:
        asked.clear()
        os.kill(os.getpid(), signal.SIGSTOP)
"""

    class Host:
        name = "here"

        def start(self, command, **how):
            return subprocess.Popen([sys.executable, "-c", Stops.LATE, *command[1:]], **how)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.host = Stops.Host()
        self.clients = Clients("", ["fenced"], [self.host], "", pathlib.Path(folder.name), 2, 20)
        self.clients.start_all()
        self.addCleanup(self.clients.kill_on, self.host)

    def look_for(self, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.clients.look()
            time.sleep(0.01)

    def test_one_who_comes_late_to_a_stop_is_let_go_on_whatever_else_was_asked_of_him_meanwhile(self):
        self.clients.stop_inside(self.host, 0.5)
        self.clients.stop_on(self.host)
        self.look_for(0.1)
        self.clients.go_on(self.host)
        while not self.clients.alive[0].is_stopped():
            self.clients.look()
        self.clients.stop_inside(self.host, 0.2)
        self.look_for(1.5)
        self.assertFalse(self.clients.alive[0].is_stopped())

    def test_one_who_comes_to_it_when_all_is_over_ends_all_the_same(self):
        self.clients.stop_inside(self.host, 1000)
        self.assertEqual(self.clients.end(30), [])


class Schedule(unittest.TestCase):
    def test_a_seed_is_all_of_it(self):
        self.assertEqual(schedule.draw(7, 60, 2), schedule.draw(7, 60, 2))
        self.assertNotEqual(schedule.draw(7, 60, 2), schedule.draw(8, 60, 2))

    def test_all_are_over_in_time(self):
        for seed in range(50):
            self.assertTrue(all(f.at + f.lasts <= 75 for f in schedule.draw(seed, 75, 2)))

    def test_the_short_run_has_every_kind(self):
        for seed in range(50):
            kinds = [f.kind for f in schedule.draw(seed, 75, 2)]
            self.assertEqual(set(kinds), set(schedule.TEXT), seed)
            self.assertGreaterEqual(kinds.count("stop inside"), 3, seed)

    def test_the_control_arms_fail_before_anything_else_can_happen(self):
        for seed in range(50):
            first, second = schedule.draw(seed, 75, 2)[:2]
            self.assertEqual(first.kind, "stop inside")
            self.assertGreater(second.at, first.at + first.lasts)

    def test_a_track_has_one_fault_at_a_time(self):
        clients, servers = schedule.decks(2)
        for seed in range(50):
            for deck in (clients, servers):
                mine = [f for f in schedule.draw(seed, 200, 2) if f.kind in deck]
                for one, next_one in zip(mine, mine[1:]):
                    self.assertLess(one.at + one.lasts, next_one.at)


if __name__ == "__main__":
    unittest.main()
