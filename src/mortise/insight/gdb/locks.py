"""Who waits for which lock. Waiters are looked for on stacks and in coroutine frames, and the lock by that its word says where their
queue begins: no debugging information is needed.
"""
import re
import time

import gdb
from mortise_gdb import memory, queues, stacks, tasks

_STACK = 16384  # so far behind a stack's end a waiter is looked for
_BEHIND = 512   # and so far behind the waiter pointers to the lock

_KINDS = r"(shared_mutex|condition_variable|semaphore_core|counting_semaphore|latch|barrier|conditions|async_when)"
_KIND_OF = {"semaphore_core": "semaphore", "counting_semaphore": "semaphore", "async_when": "conditions"}
_QUEUES = (8, 0, 16)  # where in a lock its wait::queue may lie


class lock:
    def __init__(self, address, kind, queue):
        self.address, self.kind, self.queue = address, kind, queue

    def __str__(self):
        what = "condition of a guarded" if self.kind == "conditions" else self.kind
        if self.address is None:
            return "a " + what
        name, behind = memory.symbol(self.address)
        at = "%s %#x" % (what, self.address)
        return "%s <%s%s>" % (at, memory.plain(name), "+%d" % behind if behind else "") if name else at


class picture:
    """Every queue that somebody is found in, and every lock that is known to be held."""

    def __init__(self, process):
        self.process = process
        self.locks = {}       # by address, or by their first waiter where that is not found
        self.waits = {}       # waiter's address -> (lock, place in the queue)
        self.by_party = {}    # parker's address -> the same
        self.holders = {}
        self._libraries = memory.libraries()
        for facts in self._libraries:
            if "shards" in facts:
                self.holders.update(_holders(facts))
        for t in process.tasks.values():
            self._look_at(t)
        for t in gdb.selected_inferior().threads():
            self._look_at_thread(t)
        for address in self.holders:
            if address not in self.locks:
                self.locks[address] = lock(address, "mutex", [])
        connection = gdb.selected_inferior().connection
        self.lives_here = connection is not None and connection.type == "native"
        if self.lives_here:
            self.now = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        else:  # the latest moment that is written down
            self.now = max([process.now] + [n.since for l in self.locks.values() for n in l.queue])

    def _look_at(self, t):
        if t.state == "running":
            return  # its worker's thread is looked at
        if t.has_stack:
            end = t.body if t.rest < t.body < t.rest + _STACK else t.rest + _STACK
            self._look_on_stack(t.facts, t.rest, end - t.rest, [], t.address)
        elif t.claims and t.state in ("parked", "queued") and t.claims not in self.waits:
            queue = queues.queue_with(t.facts, t.claims)
            if queue is not None:  # the lock is named in the frame behind the waiter
                self._add(t.facts, queue, [memory.word(t.claims + t.facts["waiter.size"])], ())

    def _look_at_thread(self, thread):
        selected = gdb.selected_thread()
        try:
            thread.switch()
            of = stacks.machine()
            frame = gdb.newest_frame()
            registers = [int(frame.read_register(name)) & (1 << 64) - 1 for name in of.kept]
            for facts in self._libraries:
                self._look_on_stack(facts, int(frame.read_register(of.sp)) & ~7, _STACK, registers, None)
        except gdb.error:
            pass  # a thread that cannot be looked at
        finally:
            selected.switch()

    def _look_on_stack(self, facts, at, size, registers, who):
        found = ()
        while not found and size >= 128:
            try:
                found = memory.words(at, size // 8)
            except gdb.error:  # the stack ends before
                size //= 2
        first, last = facts["waiter.who"] // 8, facts["waiter.size"] // 8
        prev, since = facts["waiter.prev"] // 8, facts["waiter.since"] // 8
        for i in range(len(found) - last):
            if (found[i + first] != who if who else not found[i + first]) or found[i + first] % 8:
                continue
            if found[i + prev] == 0 or found[i + prev] % 8 or not 0 < found[i + since] < 1 << 62:
                continue
            node = at + 8 * i
            if node in self.waits:
                continue
            queue = queues.queue_with(facts, node)
            if queue is None or not self._is_parker(queue[0].who):
                continue
            behind = i + last + _BEHIND // 8
            self._add(facts, queue, dict.fromkeys([*registers, *found[:behind]]), (at, node + 8 * last + 128))

    def _is_parker(self, who):
        return who in self.process.tasks or _class_of(who) is not None

    def _add(self, facts, queue, candidates, own):
        """`own`: the stack of the library's functions, where no lock lies."""
        head = queue[0].at
        nodes = {n.at for n in queue}
        functions = [n.step for n in queue if n.step] + [c for c in candidates if own and c]
        address = kind = None
        for at in candidates:
            if at < 4096 or at % 8 or (own and own[0] <= at < own[1]) or any(n <= at < n + 80 for n in nodes):
                continue
            try:
                in_lock = memory.words(at, 3)
            except (gdb.error, OverflowError):
                continue
            if queues.head_of(in_lock[0]) == head:
                address, kind = at, "mutex"
                break
            if any(in_lock[q // 8] & ~7 == head for q in _QUEUES):
                # One to the queue itself, or to the lock that it is in, if that is pointed to as well.
                inside = [at - q for q in _QUEUES if q and at - q in candidates and in_lock[0] & ~7 == head]
                address = inside[0] if inside else at
                break
        known = lock(address, kind or _kind(functions), queue)
        self.locks[address or head] = known
        for place, n in enumerate(queue):
            self.waits[n.at] = self.by_party[n.who] = (known, place)

    def party(self, who):
        """Who a parker stands for."""
        if who in self.process.tasks:
            return str(self.process.tasks[who])
        kind = _class_of(who)
        if kind == "thread_context":
            number = memory.word(who + self._libraries[0]["thread.id"])
            return _thread(number)
        return "a coroutine or callback of another's" if kind == "ticket" else "party %#x" % who

    def wait_of(self, t):
        """'mutex 0x... <door>, 2nd of 3, for 1.5 s', or None."""
        if t.address not in self.by_party:
            return None
        known, place = self.by_party[t.address]
        return "%s, %d of %d, %s" % (known, place + 1, len(known.queue), self.age(known.queue[place]))

    def age(self, n):
        seconds = max(self.now - n.since, 0) / 1e9
        return "for %s%.1f s%s" % ("" if self.lives_here else "at least ", seconds, ", has been told to come" if n.told else "")


def _kind(functions):
    """Of a lock, by the functions that wait for it: a coroutine's step, return addresses on a stack."""
    for function in functions:
        name = memory.symbol(function)[0] or ""
        found = re.search(r"\bmortise::.*?\b(?:%s)\b" % _KINDS, name)
        if found:
            return _KIND_OF.get(found[1], found[1])
    return "lock"


def _thread(kernel_number):
    t = tasks.process.thread(kernel_number)
    return "thread %d" % kernel_number + (" (gdb's %d)" % t.num if t is not None else "")


def _class_of(parker):
    try:
        name = memory.symbol(memory.word(parker))[0] or ""
    except (gdb.error, OverflowError):
        return None
    found = re.match(r"vtable for mortise::.*?(\w+)$", name)
    return found[1] if found else None


def _holders(facts):
    """Lock's address -> who holds it, in checked builds (lock/checked.cpp)."""
    kinds = ("thread", "fiber", "coroutine", "callback")
    found = {}
    first = memory.word(facts["shards"])
    for i in range(facts["shards.many"] if first else 0):
        table = first + i * facts["shard.size"] + facts["shard.holders"]
        for at in memory.values_of_map(table, facts["shard.value"]):
            who = memory.word(at + facts["holder.who"])
            found[memory.word(at - 8)] = (
                who, kinds[memory.word(at + facts["holder.kind"]) & 0xff], memory.word(at + facts["holder.id"]),
                memory.text(memory.word(at + facts["holder.file"])), memory.word(at + facts["holder.line"]) & 0xffffffff)
    return found


def _written_down(facts, address):
    """Who holds it, in other builds, while that is kept there (lock/holder_table.cpp); else 0."""
    if "held.table" not in facts or not memory.word(facts["held.is_kept"]) & 0xff:
        return 0
    bits = facts["held.place_bits"]
    place, tag = address >> 3 & (1 << bits) - 1, address >> 3 + bits
    try:
        found = memory.word(memory.word(facts["held.table"]) + 8 * place)
    except gdb.error:  # a core has no pages that were never written
        return 0
    return found >> facts["held.tag_bits"] << facts["held.parker_zeros"] if found & (1 << facts["held.tag_bits"]) - 1 == tag else 0


def holder(shown, known):
    """'held by fiber 12', of a mutex."""
    if not memory.word(known.address) & 1:
        return "free"
    if known.address not in shown.holders:
        for facts in shown._libraries:
            if "shards" in facts:
                return "held"
            if who := _written_down(facts, known.address):
                return "held by " + shown.party(who)
        return "held; by whom is known in checked builds, and where it is watched"
    who, kind, number, file, line = shown.holders[known.address]
    if who == 0:
        return "held, by async_lock at %s:%d" % (re.sub(r".*/", "", file), line)
    if kind == "thread":
        return "held by " + _thread(number)
    return "held by " + (shown.party(who) if who in shown.process.tasks else "%s %d" % (kind, number))


def in_files_at_hand(process):
    """Addresses of mutexes with static storage, and of those in a guarded there, in files that threads and the first tasks stand in."""
    found, files = set(), {}
    for frame in _frames_at_hand(process):
        symtab = frame.find_sal().symtab
        if symtab is not None and symtab.is_valid():
            files[symtab.static_block().start] = symtab
    for symtab in files.values():
        for symbol in [*symtab.static_block(), *symtab.global_block()]:
            if symbol.is_variable and not symbol.needs_frame and memory.type_name(symbol.type).startswith("mortise::"):
                try:
                    value = mutex_in(symbol.value())
                except gdb.error:
                    continue
                if value is not None:
                    found.add(int(value.address))
    return found


def _frames_at_hand(process):
    selected = gdb.selected_thread()
    for t in gdb.selected_inferior().threads():
        t.switch()
        yield from stacks.frames(gdb.newest_frame())
    selected.switch()
    for t in list(process.tasks.values())[:100]:
        if t.has_stack:
            with stacks.stack_of(process, t) as newest:
                yield from stacks.frames(newest)


def mutex_in(value):
    """A mutex, or the one in a guarded; None: neither."""
    if value.type.strip_typedefs().code in (gdb.TYPE_CODE_PTR, gdb.TYPE_CODE_REF):
        value = value.referenced_value()
    if memory.type_name(value.type).startswith("mortise::guarded<"):
        value = value["m_mutex"]
    return value if memory.type_name(value.type) == "mortise::mutex" else None
