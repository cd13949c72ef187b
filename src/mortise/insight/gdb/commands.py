"""The commands: mortise tasks, bt, with, locks, lock, core."""
import re

import gdb
from mortise_gdb import core, locks, memory, queues, stacks, tasks


class _mortise(gdb.Command):
    """What mortise's tasks do and wait for."""

    def __init__(self):
        super().__init__("mortise", gdb.COMMAND_STATUS, prefix=True)


class _tasks(gdb.Command):
    """mortise tasks: each task that lives, with its number, its state, what it waits for and where it stands."""

    def __init__(self):
        super().__init__("mortise tasks", gdb.COMMAND_STATUS)

    def invoke(self, arguments, from_tty):
        process = tasks.process()
        shown = locks.picture(process)
        places = stacks.places(process)
        for t in process.tasks.values():
            print("%s  %s" % (t, _state(process, shown, places, t)))
        print("%d tasks, %d workers" % (len(process.tasks), len(process.workers)))


def _state(process, shown, places, t):
    state = t.state
    if t.worker is not None:
        thread = process.thread(t.worker.thread)
        state += " on worker %d" % t.worker.index + (" (gdb's thread %d)" % thread.num if thread is not None else "")
    if t.kind == "coroutine" and not t.has_stack and t.state != "running":
        parts = [state, shown.wait_of(t), stacks.coroutine_place(t.rest)]
    else:
        does, where = places.of(t)
        if not where:  # it has not begun, or all of it was inlined
            where = stacks.beginning(t)
        waits = shown.wait_of(t)
        parts = [state, waits if waits else does, where]
    return ", ".join(part for part in parts if part)


class _bt(gdb.Command):
    """mortise bt ID [full]: the frames of a task, by its number or name. Of a coroutine: which await which, innermost first."""

    def __init__(self):
        super().__init__("mortise bt", gdb.COMMAND_STACK)

    def invoke(self, arguments, from_tty):
        wanted, full = _task_and_rest(arguments)
        if full not in ("", "full"):
            raise gdb.GdbError("mortise bt takes a task's number or name, and perhaps `full`")
        process = tasks.process()
        t = process.task(wanted)
        print(t)
        if not t.has_stack and t.worker is None:
            found, foreign = stacks.coroutine_frames(t.rest)
            for level, frame in enumerate(found):
                print("#%-2d %#x %s" % (level, frame, stacks.coroutine_place(frame)))
            if foreign:
                print("awaited by a coroutine that is none of mortise's")
            return
        if t.kind == "fiber":
            print(stacks.beginning(t))
        with stacks.stack_of(process, t) as newest:
            first = newest.level()
            many = first + len(stacks.frames(newest))
            text = gdb.execute("backtrace %s %d" % ("-full" if full else "", many), to_string=True)
        level = -1
        for line in text.splitlines():
            if re.match(r"#\d+ ", line):
                level += 1
            if level >= first and not line.startswith("(More stack frames"):
                print(re.sub(r"^#\d+ {1,2}", lambda _: "#%-2d " % (level - first), line))


class _with(gdb.Command):
    """mortise with ID COMMAND: any command of gdb's on a task's stack: mortise with 12 frame function hold, say."""

    def __init__(self):
        super().__init__("mortise with", gdb.COMMAND_STACK)

    def invoke(self, arguments, from_tty):
        wanted, command = _task_and_rest(arguments)
        process = tasks.process()
        t = process.task(wanted)
        with stacks.stack_of(process, t) as newest:
            if newest is None:
                raise gdb.GdbError("%s is suspended, and has no stack" % t)
            newest.select()
            gdb.execute(command)


class _core(gdb.Command):
    """mortise core FILE: generate-core-file, with the stacks of tasks that it leaves out where their guards are not mappings of their own."""

    def __init__(self):
        super().__init__("mortise core", gdb.COMMAND_SUPPORT, gdb.COMPLETE_FILENAME)

    def invoke(self, arguments, from_tty):
        file = arguments.strip()
        if not file:
            raise gdb.GdbError("into which file?")
        process = tasks.process()
        gdb.execute("generate-core-file " + file)
        core.put(file, [page for t in process.tasks.values() for page in stacks.pages(process, t)])


def _task_and_rest(arguments):
    found = re.match(r"\s*(?:'([^']*)'|(\S+))\s*(.*)$", arguments)
    if found is None:
        raise gdb.GdbError("which task? mortise tasks lists them")
    return found[1] or found[2], found[3].strip()


def _show(shown, known):
    says = ": " + locks.holder(shown, known) if known.kind == "mutex" and known.address else ""
    print("%s%s%s" % (known, says, ", %d waiting" % len(known.queue) if known.queue else ""))
    for place, n in enumerate(known.queue):
        print("  %d. %s, %s" % (place + 1, shown.party(n.who), shown.age(n)))


class _locks(gdb.Command):
    """mortise locks: each lock that somebody waits for, and each mutex that is known to be held: by whom, and who waits in which order.

Held ones that nobody waits for are known in checked builds; in others those with static storage in files that threads or the first
hundred tasks stand in, where they have debugging information."""

    def __init__(self):
        super().__init__("mortise locks", gdb.COMMAND_STATUS)

    def invoke(self, arguments, from_tty):
        shown = locks.picture(tasks.process())
        found = dict(shown.locks)
        for address in locks.in_files_at_hand(shown.process):
            if address not in found and memory.word(address) & 1:
                found[address] = locks.lock(address, "mutex", [])
        for _, known in sorted(found.items()):
            _show(shown, known)
        if not found:
            print("no lock is waited for, and none is known to be held")


class _lock(gdb.Command):
    """mortise lock EXPRESSION: the same of one mutex, or of the one in a guarded."""

    def __init__(self):
        super().__init__("mortise lock", gdb.COMMAND_STATUS, gdb.COMPLETE_EXPRESSION)

    def invoke(self, arguments, from_tty):
        value = locks.mutex_in(gdb.parse_and_eval(arguments))
        if value is None:
            raise gdb.GdbError("mortise lock takes a mortise::mutex, or a guarded with one")
        shown = locks.picture(tasks.process())
        address = int(value.address)
        known = shown.locks.get(address)
        if known is None:
            head = queues.head_of(memory.word(address))
            facts = memory.libraries()[0]
            known = locks.lock(address, "mutex", (queues.queue_with(facts, head) or []) if head else [])
        _show(shown, known)


for command in (_mortise, _tasks, _bt, _with, _core, _locks, _lock):
    command()
