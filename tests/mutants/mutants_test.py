#!/usr/bin/env python3
"""The patches still apply; the runner tells what is caught from what survives, and neither from a mutant that shows nothing."""

import json
import pathlib
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True

import mutant
import report
import run
import workshop
from mutant import Trouble

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


class Patches(unittest.TestCase):
    # A patch that rots shows nothing any more, and is noticed only by who runs all of them.
    def test_every_patch_applies_to_the_tree(self):
        for m in mutant.load(HERE):
            with self.subTest(m.name):
                mutant.git_apply(m, ROOT, "--check")

    # A patch to the tests, or to the build, would plant nothing.
    def test_every_patch_changes_the_library_or_a_command_that_holds_a_lock(self):
        for m in mutant.load(HERE):
            for name in m.files:
                self.assertRegex(name, r"^(src/mortise/(base|wait|lock|task|asio|shm|cluster|insight)|app/(lock|cluster))/", m.name)
                self.assertNotRegex(name, r"_(test|stress|model|crash)\.cpp$", m.name)

    def test_there_are_as_many_as_were_promised(self):
        self.assertGreaterEqual(len(mutant.load(HERE)), 30)


class Scratch(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="mortise-mutants-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def patch(self, head, diff="--- a/word.txt\n+++ b/word.txt\n@@ -1 +1 @@\n-right\n+wrong\n", name="a"):
        path = self.folder / f"{name}.patch"
        path.write_text(f"{head}\n\n{diff}" if head else diff)
        return path


class Heads(Scratch):
    def refused(self, *arguments):
        with self.assertRaises(Trouble) as caught:
            mutant.parse(self.patch(*arguments))
        return str(caught.exception)

    def test_what_it_says_is_read(self):
        m = mutant.parse(self.patch("breaks: a: thing\ncaught by: x.y/*, z\nbuild: tsan"))
        self.assertEqual((m.name, m.breaks, m.expected, m.build, m.files), ("a", "a: thing", ("x.y/*", "z"), "tsan", ("word.txt",)))
        self.assertEqual(mutant.parse(self.patch("breaks: a")).build, "release")

    # A line that is misspelt would be passed over: the mutant would be built as it should not be.
    def test_what_it_should_not_say_is_refused(self):
        self.assertIn("does not say what it breaks", self.refused(""))
        self.assertIn("does not say what it breaks", self.refused("build: tsan"))
        self.assertIn("none of", self.refused("breaks: a\nbuilt: tsan"))
        self.assertIn("build 'fast'", self.refused("breaks: a\nbuild: fast"))
        self.assertIn("twice", self.refused("breaks: a\nbreaks: b"))
        self.assertIn("says nothing", self.refused("breaks:"))
        self.assertIn("changes nothing", self.refused("breaks: a", ""))


# A project that needs no compiler: what it says in word.txt is its code.
CMAKE = """cmake_minimum_required(VERSION 3.25)
project(word LANGUAGES NONE)
enable_testing()
add_custom_target(compiled ALL COMMAND sh "${CMAKE_SOURCE_DIR}/check.sh" broken)
foreach(name easy hard)
  add_test(NAME word.${name} COMMAND sh "${CMAKE_SOURCE_DIR}/check.sh" ${name})
  set_tests_properties(word.${name} PROPERTIES LABELS quick)
endforeach()
add_test(NAME word.other COMMAND false)
set_tests_properties(word.other PROPERTIES LABELS stress)
"""
CHECK = """read word rest < "$(dirname "$0")/word.txt"
case "$word,$1" in
  broken,broken | wrong,hard | dead,easy) exit 1 ;;
  stuck,easy) sleep 600 & wait ;;
  killed,easy) kill -SEGV $$ ;;
esac
"""
PRESETS = {"version": 4, "configurePresets": [{"name": "release", "generator": "Ninja",
                                               "binaryDir": "${sourceDir}/build/release"}]}


class Verdicts(Scratch):
    def setUp(self):
        super().setUp()
        root = self.folder / "checkout"
        root.mkdir()
        for name, text in (("word.txt", "right\n"), ("CMakeLists.txt", CMAKE), ("check.sh", CHECK),
                           ("CMakePresets.json", json.dumps(PRESETS))):
            (root / name).write_text(text)
        self.root = root
        self.shop = workshop.Workshop(root, self.folder / "scratch", limit=3)
        self.shop.copy_tree()

    def judged(self, word, head="breaks: a"):
        diff = f"--- a/word.txt\n+++ b/word.txt\n@@ -1 +1 @@\n-right\n+{word}\n"
        verdict = run.judge(self.shop, mutant.parse(self.patch(head, diff)), say=lambda text: None)
        self.assertEqual((self.shop.tree / "word.txt").read_text(), "right\n")  # the next one starts from the tree
        self.assertEqual((self.root / "word.txt").read_text(), "right\n")
        return verdict["verdict"], verdict["by"], verdict["how"]

    # Were all that fails "caught", the last line would always be a good one.
    def test_what_no_test_notices_survives(self):
        self.assertEqual(self.judged("right as well"), ("survived", "", ""))

    def test_what_a_test_notices_is_caught(self):
        self.assertEqual(self.judged("wrong"), ("caught", "word.hard", "fails"))
        self.assertEqual(self.judged("killed"), ("caught", "word.easy", "dies of SIGSEGV"))

    def test_a_hang_is_caught_and_told(self):
        self.assertEqual(self.judged("stuck"), ("caught", "word.easy", "hangs"))

    def test_another_than_the_expected_test_may_find_it(self):
        self.assertEqual(self.judged("wrong", "breaks: a\ncaught by: word.ea*"), ("caught", "word.hard", "fails"))

    def test_what_shows_nothing_is_an_error(self):
        self.assertEqual(self.judged("broken")[0], "error")
        self.assertIn("does not compile", self.judged("broken")[2])
        self.assertIn("has no test 'nobody'", self.judged("wrong", "breaks: a\ncaught by: nobody")[2])
        self.assertIn("has no test 'word.other'", self.judged("wrong", "breaks: a\ncaught by: word.other")[2])
        self.root.joinpath("word.txt").write_text("moved on\n")
        self.shop.copy_tree()
        m = mutant.parse(self.patch("breaks: a"))
        verdict = run.judge(self.shop, m, say=lambda text: None)
        self.assertEqual(verdict["verdict"], "error")
        self.assertIn("does not apply", verdict["how"])

    # Nothing is caught by a test that fails without the mutant as well.
    def test_a_tree_that_fails_by_itself_ends_the_run(self):
        self.root.joinpath("word.txt").write_text("dead\n")
        self.shop.copy_tree()
        with self.assertRaises(workshop.Baseline):
            self.judged("wrong")

    def test_what_is_gone_from_the_checkout_is_gone_from_the_copy(self):
        (self.root / "more.txt").write_text("more\n")
        self.shop.copy_tree()
        self.assertTrue((self.shop.tree / "more.txt").exists())
        (self.root / "more.txt").unlink()
        self.shop.copy_tree()
        self.assertFalse((self.shop.tree / "more.txt").exists())

    def test_the_exit_code_says_the_worst(self):
        def end(*verdicts):
            return run.last_line([{"verdict": v} for v in verdicts], 1)
        self.assertEqual(end("caught", "caught"), ("2 of 2 caught (1 s)", 0))
        self.assertEqual(end("caught", "survived"), ("1 of 2 caught, 1 survived (1 s)", 1))
        self.assertEqual(end("survived", "error"), ("0 of 2 caught, 1 survived, 1 in error (1 s)", 2))


def verdict(name, verdict="caught", breaks="x", by="t", how="fails"):
    return {"name": name, "breaks": breaks, "build": "release", "verdict": verdict, "by": by, "how": how, "seconds": 1.0}


class Page(unittest.TestCase):
    # A row that is lost, or kept for a mutant that is no more, would make the page say what is not so.
    def test_rows_of_other_runs_stay(self):
        first = report.table("", [verdict("a"), verdict("b", "survived")], ["a", "b"])
        self.assertIn("1 of 2 caught", first)
        self.assertIn("**survived**", first)
        second = report.table(first, [verdict("b")], ["a", "b"])
        self.assertIn("2 of 2 caught", second)
        self.assertEqual(list(report.rows_of(second)), ["a", "b"])
        self.assertEqual(list(report.rows_of(report.table(second, [], ["b"]))), ["b"])

    def test_docs_list_every_mutant_as_it_is(self):
        rows = report.rows_of((ROOT / "docs" / "mutants.md").read_text())
        mutants = mutant.load(HERE)
        self.assertEqual(list(rows), [m.name for m in mutants], "run ./dev mutants --only NAME --write")
        for m in mutants:
            self.assertIn(f"| {m.breaks} |", rows[m.name], "run ./dev mutants --only NAME --write")
            self.assertNotIn("**", rows[m.name], "a survivor is a missing test")


if __name__ == "__main__":
    unittest.main()
