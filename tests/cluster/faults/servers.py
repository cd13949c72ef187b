"""Three etcd servers, each on a host of its own, and what an operator asks of them (through their gateway, which speaks JSON)."""

import base64
import collections
import concurrent.futures
import json
import os
import signal
import time
import urllib.error
import urllib.request


class Server:
    def __init__(self, host, all_hosts, scratch, log):
        self.host, self.name, self.log = host, host.name, log
        self.url = f"http://{host.address}:2379"
        peer = f"http://{host.address}:2380"
        self.command = [
            "etcd", "--name", self.name, "--data-dir", str(scratch / self.name),
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
            "--initial-cluster", ",".join(f"{h.name}=http://{h.address}:2380" for h in all_hosts),
            "--initial-cluster-token", "faults", "--logger", "zap", "--log-level", "warn",
        ]
        self.process = None

    def start(self):
        with open(self.log, "ab") as log:
            self.process = self.host.start(self.command, stdout=log, stderr=log, env={**os.environ, "GOMAXPROCS": "2"})

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def status(self):
        try:
            return self.ask("maintenance/status", {})
        except OSError:
            return None

    def ask(self, path, body, timeout=0.5):
        request = urllib.request.Request(f"{self.url}/v3/{path}", json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.load(answer)


class Servers:
    def __init__(self, hosts, scratch, out):
        self.all = [Server(h, hosts, scratch, out / f"{h.name}.log") for h in hosts]
        self.asking = concurrent.futures.ThreadPoolExecutor(len(self.all))
        for server in self.all:
            server.start()

    @property
    def endpoints(self):
        return ",".join(s.url for s in self.all)

    def leader(self, within):
        """Whom a server that can be reached believes to be the leader, and a majority agrees with; None if nobody within so many seconds."""
        until = time.monotonic() + within
        while True:
            votes, members = collections.Counter(), {}
            for server, status in zip(self.all, self.asking.map(Server.status, self.all)):
                if status is not None:
                    members[status["header"]["member_id"]] = server
                    votes[status.get("leader")] += 1
            for member, count in votes.items():
                if count >= 2 and member in members:
                    return members[member]
            if time.monotonic() > until:
                return None
            time.sleep(0.05)

    def move_leader(self, nth):
        """To the `nth` of the others, or the next of them if that one cannot. Returns it, or None."""
        leader = self.leader(1)
        others = [s for s in self.all if s is not leader] if leader else []
        for to in others[nth % 2:] + others[:nth % 2]:
            try:
                leader.ask("maintenance/transfer-leadership", {"targetID": to.ask("maintenance/status", {})["header"]["member_id"]}, timeout=3)
                return to
            except OSError:
                continue
        return None

    def compact(self):
        """All that is older than now is forgotten: a watch that asks for older revisions is refused."""
        for server in self.all:
            try:
                revision = server.ask("kv/range", {"key": base64.b64encode(b"none").decode()})["header"]["revision"]
                server.ask("kv/compaction", {"revision": revision}, timeout=3)
                return server
            except OSError:
                continue
        return None
