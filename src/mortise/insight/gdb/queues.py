"""Queues of waiters: nodes on the stacks and in the coroutine frames of those who wait, linked to each other (wait/waiter.hpp)."""
import gdb
from mortise_gdb import memory


def head_of(word):
    """The first waiter of a mutex, by its word (lock/mutex.cpp)."""
    return (word & ~0x7ffff) >> 16


class waiter:
    def __init__(self, facts, at):
        self.at = at
        size = facts["waiter.size"]
        block = memory.read(at, size)

        def number(name):
            return int.from_bytes(block[facts[name]:facts[name] + 8], "little")

        self.who = number("waiter.who")
        self.next = number("waiter.next")
        self.prev = number("waiter.prev")
        self.since = memory.signed(number("waiter.since"))
        self.told = number("waiter.offered") != 0
        self.step = number("waiter.step")


def queue_with(facts, at):
    """All waiters of the queue that the one at `at` stands in, in their order; None: it stands in none, or is no waiter."""
    try:
        first = waiter(facts, at)
        for _ in range(1000000):
            if first.since <= 0 or first.prev % 8 or first.next % 8:
                return None
            before = waiter(facts, first.prev)
            if before.next == 0:
                break  # the head's is the tail
            if before.next != first.at:
                return None
            first = before
        found, at, seen = [], first.at, 0
        while at != 0:
            one = waiter(facts, at)
            if one.since <= 0 or (found and one.prev != found[-1].at):
                return None
            found.append(one)
            at = one.next
        return found if first.prev == found[-1].at else None
    except (gdb.error, OverflowError):
        return None
