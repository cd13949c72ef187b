"""The clients: of each arm one on each host, all under the same faults. One that is killed comes back as another one, with a history of its own."""

import contextlib
import dataclasses
import pathlib
import signal
import subprocess
import time


@dataclasses.dataclass
class Client:
    arm: str
    host: object
    number: int
    process: subprocess.Popen
    history: pathlib.Path
    stops_for: float = 0  # it has been asked to stop in the middle of an update, for so long
    stopped_at: float = 0
    is_held: bool = False  # stopped, wherever it was
    last_seen: str = ""  # its threads' states, if it hung

    def tell(self, number):
        """A signal, once it is ready for one: it has its history then."""
        until = time.monotonic() + 10
        while not self.history.exists() and self.process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        self.process.send_signal(number)

    def is_stopped(self):
        return "T" in self.states()

    def states(self):
        """Of its threads: T stopped, S asleep, R running, D not to be woken."""
        found = ""
        for stat in pathlib.Path(f"/proc/{self.process.pid}/task").glob("*/stat"):
            with contextlib.suppress(OSError):  # it has just ended
                found += stat.read_text().rsplit(")", 1)[1].split()[0]
        return found


class Clients:
    def __init__(self, program, arms, hosts, endpoints, out, ttl, key_seconds):
        self.program, self.arms, self.hosts, self.endpoints = program, arms, hosts, endpoints
        self.out, self.ttl, self.key_seconds = out, ttl, key_seconds
        self.begin = time.monotonic_ns()
        self.started, self.histories = 0, {arm: [] for arm in arms}
        self.alive = []  # also who is stopped
        for arm in arms:
            (out / arm).mkdir(parents=True, exist_ok=True)

    def command(self, arm, number, *more):
        history = self.out / arm / f"{number}.jsonl"
        self.histories[arm].append(history)
        return [self.program, "--arm", arm, "--endpoints", self.endpoints, "--id", str(number), "--history", str(history),
                "--lease-ttl-ms", str(int(self.ttl * 1000)), *more]


    def start(self, arm, host):
        self.started += 1
        command = self.command(arm, self.started, "--key-seconds", str(self.key_seconds), "--begin", str(self.begin))
        with open(self.out / arm / f"{self.started}.log", "wb") as log:
            process = host.start(command, stdout=log, stderr=log)
        self.alive.append(Client(arm, host, self.started, process, self.histories[arm][-1]))

    def start_all(self):
        for host in self.hosts:
            self.start_on(host)

    def start_on(self, host):
        for arm in self.arms:
            self.start(arm, host)

    def on(self, host):
        return [c for c in self.alive if c.host is host]

    def kill_on(self, host):
        for client in self.on(host):
            client.process.kill()
            client.process.wait()
            self.alive.remove(client)

    def stop_on(self, host):
        """All but those who are asked to stop in the middle of an update: one who does that late would be let go on too soon, or never."""
        for client in self.on(host):
            if not client.stops_for:
                client.is_held = True
                client.process.send_signal(signal.SIGSTOP)

    def go_on(self, host):
        for client in self.on(host):
            if client.is_held:
                client.is_held = False
                client.process.send_signal(signal.SIGCONT)

    def stop_inside(self, host, seconds):
        """One who has not come to the last stop yet, or not gone on, is not asked again: he would stop when nobody looks any more."""
        for client in self.on(host):
            if not client.stops_for:
                client.stops_for, client.stopped_at = seconds, 0
                client.tell(signal.SIGUSR2)

    def look(self):
        """Lets those go on who have stopped in the middle of an update for long enough. Says who has ended though nobody killed him."""
        now = time.monotonic()
        for client in self.alive:
            if client.process.poll() is not None:
                raise RuntimeError(f"{client.arm}/{client.number} has ended with {client.process.returncode}: "
                                   f"{client.history.with_suffix('.log')}")
            if not client.stops_for:
                continue
            if not client.stopped_at:
                client.stopped_at = now if client.is_stopped() and not client.is_held else 0
            elif now >= client.stopped_at + client.stops_for:
                client.process.send_signal(signal.SIGCONT)
                client.stops_for = 0

    def waits_for_a_stop(self):
        return any(c.stops_for for c in self.alive)

    def end(self, within):
        """All finish what they have begun. Returns those who did not within so many seconds; they are killed then."""
        for client in self.alive:
            client.tell(signal.SIGTERM)
        until = time.monotonic() + within
        while time.monotonic() < until and any(c.process.poll() is None for c in self.alive):
            for client in self.alive:
                if client.is_stopped():  # one who was asked to, and came to it only now
                    client.process.send_signal(signal.SIGCONT)
            time.sleep(0.02)
        hung = [c for c in self.alive if c.process.poll() is None]
        for client in hung:
            client.last_seen = client.states()
            client.process.kill()
            client.process.wait()
        for client in self.alive:
            if client not in hung and client.process.returncode != 0:
                raise RuntimeError(f"{client.arm}/{client.number} has ended with {client.process.returncode}")
        return hung

    def read_all(self, arm, keys):
        """The last one to look: reads each key once everybody else has gone. On the operator's side of the network."""
        self.started += 1
        log = self.out / arm / f"{self.started}.log"
        with open(log, "wb") as file:
            subprocess.run(self.command(arm, self.started, "--read", ",".join(keys)), stdout=file, stderr=file, check=True, timeout=120)
