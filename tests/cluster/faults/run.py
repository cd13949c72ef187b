#!/usr/bin/env python3
"""Three etcd servers, clients on other hosts, and a seeded schedule of faults: does any acknowledged update get lost?

Three arms go through the same faults at the same time: fenced (cluster::guarded), and two that must lose updates, or this would find
nothing: v3lock (etcd's own lock) and unfenced (cluster::mutex), whose clients write without a fence while they believe to hold the lock.
README.md beside this tells how to read it.

Exit: 0 all as it must be, 1 not, 2 an error, 77 it cannot be done here.
"""

import argparse
import contextlib
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import time

sys.dont_write_bytecode = True

import histories
import network
import sandbox
import schedule
from clients import Clients
from director import Director
from servers import Servers

CONTROLS = ("v3lock", "unfenced")
CALM = 8  # seconds after the last fault, in which every fenced client must get something done


def say(text):
    print(text, flush=True)


def arguments():
    p = argparse.ArgumentParser(description="Three etcd servers, clients and faults. Needs root.")
    p.add_argument("--client", required=True, type=pathlib.Path, help="cluster_fault_client")
    p.add_argument("--checker", type=pathlib.Path, help="cluster_checker; where it is not there, there is the set test alone")
    p.add_argument("--out", required=True, type=pathlib.Path, help="where histories and logs go; emptied first")
    p.add_argument("--seconds", type=float, default=75, help="for how long there are faults (%(default)s)")
    p.add_argument("--minutes", type=float, help="the same")
    p.add_argument("--seed", type=int, help="of the schedule")
    p.add_argument("--arms", default="fenced,v3lock,unfenced", help="which of them (%(default)s)")
    p.add_argument("--lease-ttl", type=float, default=2, help="seconds (%(default)s)")
    p.add_argument("--key-seconds", type=int, default=20, help="how long one key is used (%(default)s)")
    args = p.parse_args()
    if args.minutes is not None:
        args.seconds = args.minutes * 60
    args.seed = args.seed if args.seed is not None else random.randrange(1, 10**6)
    args.arms = args.arms.split(",")
    return args


def need_leader(servers, args):
    """On a machine that is very busy elections take long."""
    if servers.leader(60) is None:
        raise RuntimeError(f"the servers find no leader; their logs are in {args.out}")


def disturb(args, scratch):
    """The run itself. Returns the clients, with their histories, those who hung, and when the faults were over."""
    network.lay_bridge()
    server_hosts = [network.Host(f"s{i + 1}", i + 1) for i in range(3)]
    client_hosts = [network.Host(f"c{i + 1}", i + 11) for i in range(schedule.CLIENTS)]
    servers = Servers(server_hosts, scratch, args.out)
    need_leader(servers, args)
    clients = Clients(args.client, args.arms, client_hosts, servers.endpoints, args.out, args.lease_ttl, args.key_seconds)
    clients.start_all()
    director = Director(client_hosts, servers, clients, say)
    director.run(schedule.draw(args.seed, args.seconds, args.lease_ttl), args.seconds)
    need_leader(servers, args)
    say(f"{director.now():7.1f} s  calm")
    calm = time.monotonic_ns()
    director.run([], director.now() + CALM)
    awake = list(clients.alive)
    hung = clients.end(30)
    for arm in args.arms:
        clients.histories[arm] = [h for h in clients.histories[arm] if h.exists()]  # one may be killed before it has one
        clients.read_all(arm, histories.keys_of(clients.histories[arm]))
    idle = [c for c in awake if c.history.exists() and histories.last_acknowledged(c.history) < calm]
    return clients.histories, hung, idle


def check_linear(args, arm, paths):
    """yes, no or undecided, by the checker; None where there is none."""
    if args.checker is None or not args.checker.exists():
        return None
    page = args.out / f"{arm}.html"
    done = subprocess.run([args.checker, "-timeout", "120s", "-draw", page, *paths], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise RuntimeError(f"the checker: {done.stderr.strip()}")
    (args.out / f"{arm}.verdict.json").write_text(done.stdout)
    return json.loads(done.stdout)["linearizable"]


def judge(args, paths, hung, idle):
    """Prints the counts of each arm. Returns what is not as it must be."""
    complaints = []
    table = [f"{'arm':9} {'adds':>7} {'acknowledged':>12} {'lost':>6} {'unknown (applied)':>18} {'reads':>6} "
             f"{'MISSING':>8} {'DOUBLED':>8} {'UNASKED':>8}  linearizable"]
    for arm in args.arms:
        n = histories.set_test(paths[arm], paths[arm][-1])
        linear = check_linear(args, arm, paths[arm])
        table.append(f"{arm:9} {n.adds:7} {n.acknowledged:12} {n.lost:6} {f'{n.unknown} ({n.unknown_applied})':>18} {n.reads:6} "
                     f"{n.missing:8} {n.doubled:8} {n.unasked:8}  {linear or 'not checked: there is no checker'}")
        if arm in CONTROLS:
            if n.wrong == 0:
                complaints.append(f"{arm} has lost nothing: either it was not put to the test, or the test sees nothing")
            if linear == "yes":
                complaints.append(f"{arm} is linearizable: the checker sees nothing")
            continue
        complaints += [f"{arm}: {example}" for example in n.examples]
        if linear not in (None, "yes"):
            complaints.append(f"{arm}: linearizable: {linear}; see {args.out / arm}.html")
        if n.acknowledged < args.seconds:
            complaints.append(f"{arm}: only {n.acknowledged} adds in {args.seconds} s")
        complaints += [f"{arm}/{c.number} on {c.host.name} has not ended; its threads: {c.last_seen}" for c in hung if c.arm == arm]
        complaints += [f"{arm}/{c.number} on {c.host.name} got nothing done once the faults were over" for c in idle if c.arm == arm]
    say("\n" + "\n".join(table))
    (args.out / "counts").write_text("\n".join(table) + "\n")
    return complaints


def main():
    args = arguments()
    args.out, args.client = args.out.resolve(), args.client.resolve()
    scratch = args.out / "scratch"
    reason = sandbox.why_not(scratch)
    if reason:
        say(f"cluster faults: skipped: {reason}")
        return 77
    shutil.rmtree(args.out, ignore_errors=True)
    say(f"cluster faults: seed {args.seed}, {args.seconds:g} s; histories and logs in {args.out}")
    say(f"again: --seed {args.seed} --seconds {args.seconds:g} (the same faults at the same times; who is how far then differs)")
    sandbox.enter(scratch)
    with contextlib.suppress(OSError):
        os.nice(-5)  # whatever else the machine is busy with, servers that are too slow for each other show nothing
    try:
        complaints = judge(args, *disturb(args, scratch))
    except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as trouble:
        say(f"cluster faults: {trouble}")
        return 2
    for complaint in complaints:
        say(f"cluster faults: {complaint}")
    say("cluster faults: " + ("FAILED" if complaints else "nothing lost where nothing may be, and something where it must be"))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
