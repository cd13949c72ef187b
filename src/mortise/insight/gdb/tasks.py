"""The tasks that live: from the slabs that their blocks are cut from (task/task_block.cpp)."""
import gdb
from mortise_gdb import memory

KINDS = ("thread", "fiber", "coroutine", "callback")
STATES = ("idle", "running", "running", "parked", "sleeping", "sleeping", "queued", "queued")  # task_block::state
IDLE = 0


class task:
    def __init__(self, facts, address, block):
        def number(name, size=8):
            return int.from_bytes(block[facts[name]:facts[name] + size], "little")

        self.facts = facts
        self.address = address
        self.id = address // facts["task.size"] % 1000000007
        self.kind = KINDS[number("task.kind", 1)]
        self.state = STATES[number("task.state", 4)]
        self.has_stack = self.kind == "fiber" or number("task.flags", 1) & 1 != 0
        self.rest = number("task.rest")
        self.claims = number("task.claims")
        self.scope = number("task.scope")
        self.body = number("task.body")
        self.name = None
        self.worker = None  # the one that runs it

    def __str__(self):
        return "%s %d%s" % (self.kind, self.id, " '%s'" % self.name if self.name else "")


class worker:
    def __init__(self, facts, address):
        self.index = memory.word(address + facts["worker.index"]) & 0xffffffff
        self.running = memory.word(address + facts["worker.running"])
        self.thread = memory.word(address + facts["worker.thread"]) & 0xffffffff
        self.now = memory.signed(memory.word(address + facts["worker.now"]))


def workers_of(facts, runtime):
    first, end = memory.words(runtime + facts["runtime.workers"], 2)
    return [worker(facts, memory.word(at)) for at in range(first, end, 8)]


def _blocks(facts):
    """Address and bytes of each block that was ever used."""
    size = facts["task.size"]
    slab = memory.word(facts["pool"] + facts["pool.slabs"])
    end = memory.word(facts["pool"] + facts["pool.fresh"])  # of the newest; those before are full
    while slab != 0:
        bytes_of_slab = memory.read(slab, min(end - slab, facts["slab.size"]))
        for at in range(0, len(bytes_of_slab), size):
            yield slab + at, bytes_of_slab[at:at + size]
        slab = memory.word(slab + facts["slab.size"])
        end = slab + facts["slab.size"]


def _names(facts):
    table = memory.word(facts["names"] + facts["names.of"])
    if table == 0:
        return {}
    return {memory.word(at): memory.text(at + 8) for at in memory.values_of_map(table, facts["names.value"])}


class process:
    """All that lives at this moment: read once for a command."""

    def __init__(self):
        self.tasks = {}    # by address
        self.workers = []
        self.now = 0       # the latest moment that is written down anywhere
        for facts in memory.libraries():
            state = facts["task.state"]
            found = [task(facts, at, block) for at, block in _blocks(facts)
                     if int.from_bytes(block[state:state + 4], "little") != IDLE]
            names = _names(facts)
            runtimes = {memory.word(t.scope + facts["scope.home"]) for t in found if t.scope != 0}
            workers = [w for runtime in sorted(runtimes) for w in workers_of(facts, runtime)]
            running = {w.running: w for w in workers if w.running != 0}
            for t in found:
                t.name = names.get(t.address)
                t.worker = running.get(t.address) if t.state == "running" else None
                self.tasks[t.address] = t
            self.workers += workers
        self.now = max([w.now for w in self.workers], default=0)

    def task(self, wanted):
        """By its number or name."""
        found = [t for t in self.tasks.values() if wanted in (str(t.id), t.name)]
        if not found:
            raise gdb.GdbError("no task %s lives; mortise tasks lists those that do" % wanted)
        if len(found) > 1:
            raise gdb.GdbError("several tasks are called %s: %s" % (wanted, ", ".join(str(t.id) for t in found)))
        return found[0]

    @staticmethod
    def thread(kernel_number):
        """gdb's thread with that number, or None."""
        for t in gdb.selected_inferior().threads():
            if kernel_number in t.ptid[1:]:
                return t
        return None
