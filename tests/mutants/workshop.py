"""Where mutants are built and tested: a copy of the tree, with builds of its own. The checkout is only read."""

import dataclasses
import fnmatch
import json
import os
import re
import shutil
import signal
import subprocess
import time

from mutant import Trouble, git_apply

# Tests of the fuzzers, of the soak and of the command, but where it holds a lock, are of those and not of the library; the longest to build, too.
NOT_OURS = re.compile(r"(app(?!_lock|_cluster)|bench|compile_fail|fuzz|mutants|soak)[._]")
OPTIONS = ("-DMORTISE_BUILD_BENCH=OFF", "-DMORTISE_BUILD_EXAMPLES=OFF", "-DMORTISE_INSTALL=OFF", "-DMORTISE_TEST_TREE=OFF")
NOT_BUILT = "_NOT_BUILT"  # what CMake appends to the name of a test program that is not there yet
SHORTEST_LIMIT = 20  # seconds; a test that takes this long, and ten times what it takes without a mutant, hangs


class Baseline(Exception):
    """The tree fails without a mutant: nothing can be said of any."""


@dataclasses.dataclass
class Test:
    name: str
    command: list
    folder: str
    environment: dict
    seconds: float = 0.0  # in the baseline

    @property
    def limit(self):
        return max(SHORTEST_LIMIT, 10 * self.seconds)


def kind_of_program(name):
    """Which kind of tests it is; stress tests are compiled with the quick ones, and not run."""
    return next((kind for kind in ("model", "crash") if name.endswith(f"_{kind}")), "quick")


def files_of(root):
    """What git knows of, and what is new and not ignored; without git, all but builds."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "-co", "--exclude-standard"], cwd=root,
                            capture_output=True)
    if listed.returncode == 0:
        names = [os.fsdecode(n) for n in listed.stdout.split(b"\0") if n]
    else:
        names = [str(p.relative_to(root)) for p in root.rglob("*") if not str(p.relative_to(root)).startswith("build")]
    return {n for n in names if (root / n).is_file()}


class Workshop:
    def __init__(self, root, scratch, compiler=None, limit=None):
        self.root = root
        self.tree = scratch / "tree"
        self.tests = {}  # (build, kind: quick, model or crash) -> its tests, quickest first
        self._compiler = compiler
        self._limit = limit
        self._before = {}  # what the applied mutant changed

    def copy_tree(self):
        """Writes only what differs: what was compiled before stays compiled."""
        wanted = files_of(self.root)
        self.tree.mkdir(parents=True, exist_ok=True)
        for name in wanted:
            source, target = self.root / name, self.tree / name
            if target.is_file() and target.read_bytes() == source.read_bytes():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target)
            shutil.copymode(source, target)
        for path in self.tree.rglob("*"):
            name = path.relative_to(self.tree)
            if name.parts[0] != "build" and path.is_file() and str(name) not in wanted:
                path.unlink()

    def apply(self, mutant):
        before = {}
        for name in mutant.files:
            if (self.tree / name).is_file():
                before[name] = (self.tree / name).read_bytes()
        git_apply(mutant, self.tree)
        self._before = before

    def revert(self):
        for name, content in self._before.items():
            (self.tree / name).write_bytes(content)
        self._before = {}

    def folder(self, build):
        return self.tree / "build" / build

    def log(self, build):
        return self.folder(build) / "mutants.log"

    def _run(self, build, command):
        with open(self.log(build), "w") as log:
            return subprocess.run(command, cwd=self.tree, stdin=subprocess.DEVNULL, stdout=log,
                                  stderr=subprocess.STDOUT).returncode == 0

    def configure(self, build):
        self.folder(build).mkdir(parents=True, exist_ok=True)
        command = ["cmake", "--preset", build, *OPTIONS]
        if not (self.folder(build) / "CMakeCache.txt").exists() and shutil.which("ninja") is None:
            command += ["-G", "Unix Makefiles"]
        if build != "release":
            command.append("-DMORTISE_BUILD_MODELS=OFF")  # no sanitizer sees more in them
        if build == "tsan" and self._compiler:
            command.append(f"-DCMAKE_CXX_COMPILER={self._compiler}")
        if not self._run(build, command):
            raise Trouble(f"configuring failed; the log is {self.log(build)}")

    def compile(self, build, targets=()):
        command = ["cmake", "--build", str(self.folder(build)), "--parallel", str(os.cpu_count())]
        if targets:
            command += ["--target", *sorted(targets)]
        if not self._run(build, command):
            raise Trouble(f"does not compile; the log is {self.log(build)}")

    def _listed(self, build, kind):
        """The tests of a kind, which is their label, that ctest knows. Programs with tests that are not compiled are there as <target>_NOT_BUILT."""
        listed = subprocess.run(["ctest", "--show-only=json-v1"], cwd=self.folder(build), capture_output=True, text=True)
        found = []
        for entry in json.loads(listed.stdout)["tests"]:
            properties = {p["name"]: p["value"] for p in entry.get("properties", ())}
            name = entry["name"].split("  # ")[0]  # of a parametrized test CMake appends the parameter
            if NOT_OURS.match(name):
                continue
            if name.endswith(NOT_BUILT):
                if kind_of_program(name.removesuffix(NOT_BUILT)) == kind:
                    found.append(Test(name, [], "", {}))
            elif "command" in entry and kind in properties.get("LABELS", ()):
                environment = dict(v.split("=", 1) for v in properties.get("ENVIRONMENT", ()))
                folder = properties.get("WORKING_DIRECTORY", str(self.folder(build)))
                found.append(Test(name, entry["command"], folder, environment, properties.get("TIMEOUT", 300) / 10))
        return found

    def prepare(self, build, kind):
        """The baseline: all tests of a kind are built and pass. Learns what they take."""
        if (build, kind) in self.tests:
            return
        try:
            if not any(b == build for b, _ in self.tests):
                self.configure(build)
            if targets := self.targets(build, self._listed(build, kind)):
                self.compile(build, targets)
        except Trouble as trouble:
            raise Baseline(f"build {build}: {trouble}") from None
        tests = self._listed(build, kind)
        for test in tests:
            if test.name.endswith(NOT_BUILT):
                raise Baseline(f"build {build}: {test.name}")
            begin = time.monotonic()
            if (how := self.try_test(test)) is not None:
                raise Baseline(f"build {build}: {test.name} {how}")
            test.seconds = time.monotonic() - begin
        self.tests[build, kind] = sorted(tests, key=lambda t: t.seconds)

    def named(self, build, kind, patterns):
        found = []
        for pattern in patterns:
            matching = [t for t in self.tests[build, kind] if fnmatch.fnmatchcase(t.name, pattern)]
            if not matching:
                raise Trouble(f"build {build} has no test '{pattern}'")
            found += [t for t in matching if t not in found]
        return found

    def targets(self, build, tests):
        """The executables of tests, compiled or not; they are named as their targets are."""
        folder = str(self.folder(build).resolve()) + os.sep
        unbuilt = {t.name.removesuffix(NOT_BUILT) for t in tests if t.name.endswith(NOT_BUILT)}
        return unbuilt | {os.path.basename(word) for t in tests for word in t.command if word.startswith(folder)}

    def try_test(self, test):
        """None: it passed. Else how it failed."""
        limit = self._limit or test.limit
        with subprocess.Popen(test.command, cwd=test.folder, env={**os.environ, **test.environment},
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True) as child:
            try:
                code = child.wait(limit)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                try:  # also what it left behind: the children of a death test
                    os.killpg(child.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        if code is None:
            return "hangs"
        if code < 0:
            return f"dies of {signal.Signals(-code).name}"
        return "fails" if code != 0 else None
