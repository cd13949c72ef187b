"""What goes wrong when, drawn from a seed. Whom it befalls, where that is said by a role (the leader), is seen when it happens."""

import dataclasses
import random

CLIENTS = 3


@dataclasses.dataclass(frozen=True)
class Fault:
    at: float  # seconds from the start
    lasts: float
    kind: str
    who: int = 0  # a client's host, or one of the followers

    @property
    def of_servers(self):
        return not self.kind.endswith(("client", "inside", "meanwhile"))

    def __str__(self):
        lasts = f" for {self.lasts:.1f} s" if self.lasts else ""
        return TEXT[self.kind].format(who=f"c{self.who + 1}") + lasts


TEXT = {
    "stop inside": "{who} stops in the middle of an update,",
    "stop client": "{who} stops,",
    "kill client": "{who} is killed and away",
    "cut client": "{who} is cut off",
    "compact meanwhile": "{who} is cut off, and history compacted meanwhile,",
    "kill leader": "the leader is killed and away",
    "kill follower": "a follower is killed and away",
    "stop leader": "the leader stops,",
    "stop follower": "a follower stops,",
    "cut leader": "the leader is cut off",
    "cut follower": "a follower is cut off",
    "no majority": "both followers stop,",
    "move leader": "another leader",
    "compact": "history is compacted",
}


def decks(ttl):
    """Of each track: kind -> how often, least and most seconds. A track has one fault at a time; there is one for clients, one for servers."""
    clients = {
        # Long enough that the lease is over on the servers too, who look twice a second, and that others have been inside.
        "stop inside": (3, ttl + 1.2, ttl + 2.5),
        "stop client": (1, 0.2, ttl + 2),
        "kill client": (2, 0.1, 1.5),
        "cut client": (1, 0.5, ttl + 3),
        "compact meanwhile": (1, 0.5, ttl + 2),
    }
    servers = {
        "kill leader": (1, 0.5, 2.5), "kill follower": (1, 0.5, 2.5),
        "stop leader": (1, 0.3, 3), "stop follower": (1, 0.3, 3),
        "cut leader": (1, 0.5, 3), "cut follower": (1, 0.5, 3),
        "no majority": (1, 0.5, ttl), "move leader": (1, 0, 0), "compact": (1, 0, 0),
    }
    return [clients, servers]


def draw(seed, seconds, ttl):
    """Faults that have begun and ended within so many seconds. Each track goes through all its kinds in some order, and then again.

    First of all a client stops in the middle of an update while all else is well: what the control arms do not survive.
    """
    chance = random.Random(seed)
    clients, servers = decks(ttl)
    first = Fault(round(chance.uniform(0.5, 1.5), 2), ttl + 2, "stop inside", chance.randrange(CLIENTS))
    faults = [first] if first.at + first.lasts <= seconds else []
    for deck in (clients, servers):
        now, left = first.at + first.lasts + chance.uniform(1, 2), []
        while True:
            if not left:
                left = [kind for kind, (times, _, _) in deck.items() for _ in range(times)]
                chance.shuffle(left)
            kind = left.pop()
            _, least, most = deck[kind]
            fault = Fault(round(now, 2), round(chance.uniform(least, most), 2), kind, chance.randrange(CLIENTS))
            now += fault.lasts + (chance.uniform(1.5, 3.5) if fault.of_servers else chance.uniform(0.3, 2))
            if fault.at + fault.lasts > seconds:
                break
            faults.append(fault)
    return sorted(faults, key=lambda f: f.at)
