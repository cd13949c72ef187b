#!/usr/bin/env python3
"""Plants one bug after the other in a copy of the tree; the quick tests, the models or those that kill processes must find each.

A survivor is a missing test. A patch that does not apply or does not compile is an error, not a find.
Exit code: 0 all were caught; 1 one survived; 2 an error.
"""

import argparse
import fnmatch
import json
import pathlib
import resource
import sys
import time

sys.dont_write_bytecode = True

import report
from mutant import BUILDS, Trouble, load
from workshop import Baseline, Workshop

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def say(text):
    """Progress: on a terminal only, in one line that is written over."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def hunt(shop, kind, mutant, progress):
    """Who finds the mutant, of the tests of a kind (quick, model, crash), and how; None: it survives them. The mutant is applied."""
    everything = shop.tests[mutant.build, kind]
    expected = shop.named(mutant.build, kind, [p for p in mutant.expected if kind_of(p) == kind])
    others = [t for t in everything if t not in expected]
    for tests, what in ((expected, "its test"), (others, f"all {kind} tests")):
        if not tests:
            continue
        progress(f"compiles {what}")
        shop.compile(mutant.build, shop.targets(mutant.build, tests))
        for test in tests:
            progress(test.name)
            if (how := shop.try_test(test)) is not None:
                return test.name, how
    return None


def kind_of(pattern):
    return {"model": "model", "crash": "crash"}.get(pattern.split(".")[0], "quick")


def judge(shop, mutant, say=say):
    """The verdict on one mutant: caught, survived or error."""
    begin, waited = time.monotonic(), 0.0
    result = {"name": mutant.name, "breaks": mutant.breaks, "build": mutant.build, "verdict": "survived", "by": "", "how": ""}
    kinds = ["quick"] + ["model", "crash"] * (mutant.build == "release")
    kinds.sort(key=lambda kind: not any(kind_of(p) == kind for p in mutant.expected))  # where it is expected to be found, first
    try:
        for kind in kinds:
            before = time.monotonic()
            say(f"{mutant.build}, {kind} tests: the tree without a mutant")
            shop.prepare(mutant.build, kind)
            waited += time.monotonic() - before  # for all mutants, not for this one
            shop.apply(mutant)
            try:
                found = hunt(shop, kind, mutant, lambda what: say(f"{mutant.name}: {what}"))
            finally:
                shop.revert()
            if found:
                result.update(verdict="caught", by=found[0], how=found[1])
                break
    except Trouble as trouble:
        result.update(verdict="error", how=str(trouble))
    result["seconds"] = time.monotonic() - begin - waited
    return result


def last_line(verdicts, seconds):
    count = {what: sum(v["verdict"] == what for v in verdicts) for what in ("caught", "survived", "error")}
    more = "".join(f", {count[what]} {text}" for what, text in (("survived", "survived"), ("error", "in error")) if count[what])
    return f"{count['caught']} of {len(verdicts)} caught{more} ({seconds:.0f} s)", 2 if count["error"] else 1 if count["survived"] else 0


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", metavar="PATTERNS", default="*",
                        help="mutants whose names match one of them, as in a shell, with commas between: 'lock_*,offer_*'")
    parser.add_argument("--list", action="store_true", help="say what each breaks, and end")
    parser.add_argument("--json", metavar="FILE", type=pathlib.Path, help="write the verdicts")
    parser.add_argument("--write", action="store_true", help="bring docs/mutants.md up to date with what was run")
    parser.add_argument("--clang", help=argparse.SUPPRESS)  # the compiler of build tsan
    options = parser.parse_args(arguments)

    try:
        everything = load(HERE)
    except Trouble as trouble:
        parser.exit(2, f"mutants: {trouble}\n")
    mutants = [m for m in everything if any(fnmatch.fnmatchcase(m.name, p) for p in options.only.split(","))]
    if not mutants:
        parser.exit(2, f"mutants: --only: no mutant matches '{options.only}'\n")
    if options.list:
        for m in mutants:
            print(f"{m.name}: {m.breaks}")
        return 0

    begin = time.monotonic()
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))  # they die by the dozen
    shop = Workshop(ROOT, ROOT / "build" / "mutants", options.clang)
    shop.copy_tree()
    verdicts = []
    try:
        for m in sorted(mutants, key=lambda m: BUILDS.index(m.build)):
            verdicts.append(judge(shop, m, lambda text: say(f"[{len(verdicts) + 1}/{len(mutants)}] {text}")))
            say("")
            print(report.line(verdicts[-1]), flush=True)
            if options.json:
                options.json.write_text(json.dumps(verdicts, indent=1) + "\n")
    except Baseline as failed:
        say("")
        parser.exit(2, f"mutants: without any mutant: {failed}\n")
    if options.write:
        page = ROOT / "docs" / "mutants.md"
        before = page.read_text() if page.exists() else ""
        page.write_text(report.table(before, verdicts, [m.name for m in everything]))
    text, code = last_line(verdicts, time.monotonic() - begin)
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
