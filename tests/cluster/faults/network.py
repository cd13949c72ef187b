"""Hosts, each a network namespace, on one bridge. Addresses of a private range, which exist in here only."""

import os
import subprocess

from sandbox import CLONE_NEWNET, join_network, run_quietly, unshare

OPERATOR = "10.77.0.250"  # the bridge itself: who looks on, and whose link is never down


class Host:
    def __init__(self, name, number):
        self.name, self.address = name, f"10.77.0.{number}"
        self.keeper = subprocess.Popen(["sleep", "infinity"], preexec_fn=lambda: unshare(CLONE_NEWNET))  # the namespace is his
        self.namespace = os.open(f"/proc/{self.keeper.pid}/ns/net", os.O_RDONLY)
        self.port = f"port-{name}"
        run_quietly("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", str(self.keeper.pid))
        run_quietly("ip", "link", "set", self.port, "master", "bridge", "up")
        for words in (f"addr add {self.address}/24 dev eth0", "link set eth0 up", "link set lo up"):
            self.start(["ip", *words.split()]).wait()

    def start(self, command, **how):
        """A process on this host."""
        return subprocess.Popen(command, preexec_fn=lambda: join_network(self.namespace), **how)

    def cut(self):
        run_quietly("ip", "link", "set", self.port, "down")

    def heal(self):
        run_quietly("ip", "link", "set", self.port, "up")


def lay_bridge():
    for words in ("link set lo up", "link add bridge type bridge", f"addr add {OPERATOR}/24 dev bridge", "link set bridge up"):
        run_quietly("ip", *words.split())
