"""Makes what the schedule says happen, and says so as it happens."""

import heapq
import itertools
import time

from servers import Servers


class Director:
    def __init__(self, network_hosts, servers: Servers, clients, say):
        self.client_hosts, self.servers, self.clients, self.say = network_hosts, servers, clients, say
        self.began = time.monotonic()
        self.later, self.order = [], itertools.count()
        self.servers_busy = 0  # until then one of their faults lasts

    def now(self):
        return time.monotonic() - self.began

    def after(self, seconds, what, *args):
        heapq.heappush(self.later, (self.now() + seconds, next(self.order), what, args))

    def run(self, faults, seconds):
        """For so many seconds, and longer only if somebody is still asked to stop in the middle of an update."""
        self.until = seconds
        for fault in faults:
            heapq.heappush(self.later, (fault.at, next(self.order), self.begin, (fault,)))
        while self.now() < seconds or self.later or (self.clients.waits_for_a_stop() and self.now() < seconds + 30):
            while self.later and self.later[0][0] <= self.now():
                _, _, what, args = heapq.heappop(self.later)
                what(*args)
            self.clients.look()
            time.sleep(0.02)

    def begin(self, fault, postponed=0):
        track, _, role = fault.kind.partition(" ")
        if self.now() > self.until:
            return  # it has been put off for too long
        if fault.of_servers:  # they have it once they have got over the last one
            if self.now() < self.servers_busy:
                self.after(self.servers_busy - self.now() + 1, self.begin, fault, postponed)
                return
            if postponed < 10 and self.servers.leader(0) is None:
                self.after(0.5, self.begin, fault, postponed + 1)
                return
            self.servers_busy = self.now() + fault.lasts
        self.say(f"{self.now():7.1f} s  {fault}")
        host = self.client_hosts[fault.who % len(self.client_hosts)]
        if fault.kind == "stop inside":
            self.clients.stop_inside(host, fault.lasts)
        elif fault.kind == "stop client":
            self.clients.stop_on(host)
            self.after(fault.lasts, self.clients.go_on, host)
        elif fault.kind == "kill client":
            self.clients.kill_on(host)
            self.after(fault.lasts, self.clients.start_on, host)
        elif fault.kind in ("cut client", "compact meanwhile"):
            host.cut()
            self.after(fault.lasts, host.heal)
            if fault.kind == "compact meanwhile":
                self.after(fault.lasts * 0.8, self.servers.compact)
        elif fault.kind in ("compact", "move leader"):
            who = self.servers.compact() if fault.kind == "compact" else self.servers.move_leader(fault.who)
            self.say(f"{'':11}({who.name if who else 'nobody could'})")
        else:
            self.begin_on_servers(track, role, fault)

    def begin_on_servers(self, what, role, fault):
        leader = self.servers.leader(2)
        followers = [s for s in self.servers.all if s is not leader]
        if role == "leader":
            whom = [leader or followers[fault.who % len(followers)]]
        elif role == "follower":
            whom = [followers[fault.who % len(followers)]]
        else:  # no majority
            what, whom = "stop", followers[:2]
        self.say(f"{'':11}({', '.join(s.name for s in whom)})")
        for server in whom:
            do, undo = {"kill": (server.kill, server.start), "stop": (server.stop, server.go_on),
                        "cut": (server.host.cut, server.host.heal)}[what]
            do()
            self.after(fault.lasts, undo)
