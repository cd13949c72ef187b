"""A place of its own for servers, clients and what happens to their network: nothing outside is touched, and nothing stays.

enter() gives the process that returns from it fresh network, mount and process namespaces, in which it is the first process. The kernel
ends all others in there when it ends, however it ends, and with them the network and the files in memory. It ends when its parent does.
"""

import ctypes
import errno
import os
import pathlib
import shutil
import signal
import subprocess
import sys

CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET = 0x20000, 0x20000000, 0x40000000
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG = 1

libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def unshare(what):
    checked(libc.unshare(what), "unshare")


def join_network(fd):
    checked(libc.setns(fd, CLONE_NEWNET), "setns")


def mount(source, target, kind, flags=0):
    text = [None if s is None else os.fsencode(s) for s in (source, target, kind)]
    checked(libc.mount(*text, ctypes.c_ulong(flags), None), f"mount {target}")


def why_not(scratch):
    """Why it cannot be done here, in one line; None if it can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    missing = [tool for tool in ("ip", "etcd") if not shutil.which(tool)]
    if missing:
        return f"not installed: {', '.join(missing)}"
    tried = subprocess.run([sys.executable, __file__, str(scratch)], capture_output=True, text=True)
    if tried.returncode != 0:
        return f"this system allows no namespaces with a bridge and veth pairs ({(tried.stderr.strip().splitlines() or ['killed'])[-1]})"
    return None


def enter(scratch: pathlib.Path):
    """`scratch` is an empty folder outside and a file system in memory inside. The caller's process waits, and ends as the new one does."""
    scratch.mkdir(parents=True, exist_ok=True)
    unshare(CLONE_NEWNET | CLONE_NEWPID | CLONE_NEWNS)
    child = os.fork()
    if child != 0:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
        _, status = os.waitpid(child, 0)
        sys.stdout.flush()
        code = os.waitstatus_to_exitcode(status)
        os._exit(code if code >= 0 else 128 - code)
    checked(libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    mount("proc", "/proc", "proc")
    mount("tmpfs", str(scratch), "tmpfs")


def run_quietly(*command):
    """Of a short command; what it says only if it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise OSError(errno.EIO, f"{' '.join(command)}: {done.stderr.strip()}")


if __name__ == "__main__":  # can it be done here?
    enter(pathlib.Path(sys.argv[1]))
    run_quietly("ip", "link", "add", "bridge", "type", "bridge")
    run_quietly("ip", "link", "add", "one", "type", "veth", "peer", "name", "other")
