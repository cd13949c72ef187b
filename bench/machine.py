"""What a number was measured on: compiler, flags, kernel, CPU, peers, date."""

import datetime
import json
import os
import pathlib
import platform
import shutil
import subprocess


def first_line(*command):
    """The first line that a command prints, or None when there is no such command or it fails."""
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.returncode == 0 and done.stdout else None


def cpu_model():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "CPU part")):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.machine()


def build_info(build):
    """What bench/CMakeLists.txt wrote when it configured: compiler, flags, build type, checked or not."""
    try:
        return json.loads((build / "bench" / "build_info.json").read_text())
    except (OSError, ValueError):
        return {"compiler": "unknown: not configured with MORTISE_BUILD_BENCH"}


def describe(build, source):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "revision": first_line("git", "-C", str(source), "describe", "--always", "--dirty") or "unknown",
        **build_info(build),
        "go": first_line("go", "version") or "not installed",
        "kernel": f"{platform.system()} {platform.release()}",
        "cpu": f"{cpu_model()}, {len(os.sched_getaffinity(0))} usable",
        "load_1min": os.getloadavg()[0],
    }


def as_text(machine):
    width = max(map(len, machine))
    return "\n".join(f"{key:<{width}}  {value}" for key, value in machine.items())
