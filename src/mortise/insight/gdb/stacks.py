"""Where a task stands: the frames of a stack that is not running, and of a coroutine that is suspended.

A stack that Boost.Context left has its registers on top of it (jump_fcontext). They can be put into a thread of a live process
but not of a core, so an unwinder says that they are those of the caller of frame 0: gdb finds the rest by itself.
"""
import contextlib
import re

import gdb
import gdb.unwinder
from mortise_gdb import memory


def _saved_x86_64(at):
    size = 0x38  # up to the return address; newer versions of Boost keep more in front of the registers
    try:
        code = memory.read(int(gdb.parse_and_eval("(unsigned long) &jump_fcontext")), 16)
        makes_room = code.find(b"\x48\x8d\x64\x24")  # lea -size(%rsp), %rsp
        if makes_room >= 0:
            size = 256 - code[makes_room + 4]
    except gdb.error:
        pass
    names = ("r12", "r13", "r14", "r15", "rbx", "rbp", "rip")
    saved = dict(zip(names, memory.words(at + size - 48, 7)))
    saved["rsp"] = at + size + 8
    return saved


def _saved_aarch64(at):
    saved = {"x%d" % n: value for n, value in zip(range(19, 31), memory.words(at + 0x40, 12))}
    saved["pc"] = memory.word(at + 0xa0)
    saved["sp"] = at + 0xb0
    return saved


class machine:
    """What differs between processors."""

    def __init__(self):
        name = gdb.newest_frame().architecture().name()
        arm = name.startswith("aarch64")
        if not arm and name != "i386:x86-64":
            raise gdb.GdbError("mortise's script does not know stacks of " + name)
        self.saved = _saved_aarch64 if arm else _saved_x86_64
        self.pc, self.sp = ("pc", "sp") if arm else ("rip", "rsp")
        self.kept = ["x%d" % n for n in range(19, 30)] if arm else ["rbx", "rbp", "r12", "r13", "r14", "r15"]


class _frame_id:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


class _elsewhere(gdb.unwinder.Unwinder):
    """While enabled: the caller of frame 0 of the selected thread is what `saved` says."""

    def __init__(self):
        super().__init__("mortise")
        self.enabled = False

    def arm(self, saved, of):
        frame = gdb.newest_frame()
        self.of, self.saved = of, saved
        self.here = (int(frame.read_register(of.pc)), int(frame.read_register(of.sp)))
        self.enabled = True
        gdb.invalidate_cached_frames()

    def disarm(self):
        self.enabled = False
        gdb.invalidate_cached_frames()

    def __call__(self, pending):
        pc, sp = pending.read_register(self.of.pc), pending.read_register(self.of.sp)
        if (int(pc), int(sp)) != self.here:
            return None
        # gdb takes a caller for corrupt whose frame is not above: this frame is said to be right below.
        below = gdb.Value(self.saved[self.of.sp] - 8).cast(sp.type)
        info = pending.create_unwind_info(_frame_id(below, pc))
        for name, value in self.saved.items():
            info.add_saved_register(name, gdb.Value(value).cast(pending.read_register(name).type))
        return info


_unwinder = _elsewhere()
gdb.unwinder.register_unwinder(None, _unwinder, replace=True)


@contextlib.contextmanager
def stack_of(process, task):
    """Inside: the newest frame of a task with a stack, or None. The thread that was selected, and its frame, are again afterwards."""
    thread, level = gdb.selected_thread(), gdb.selected_frame().level()
    try:
        runs_on = process.thread(task.worker.thread) if task.worker else None
        if runs_on is not None:
            runs_on.switch()
            yield gdb.newest_frame()
        elif task.has_stack:
            of = machine()
            _unwinder.arm(of.saved(task.rest), of)
            frame = gdb.newest_frame()
            while frame.type() == gdb.INLINE_FRAME:  # of the thread's
                frame = frame.older()
            yield frame.older()
        else:
            yield None
    finally:
        if _unwinder.enabled:
            _unwinder.disarm()
        thread.switch()
        frame = gdb.newest_frame()
        while frame is not None and frame.level() < level:
            frame = frame.older()
        if frame is not None:
            frame.select()


_FIRST = re.compile(r"task_detail::worker::(fiber_main|step)\b|^trampoline$|^make_fcontext$|^finish$")
_OURS = re.compile(r"^(?:[\w:<>]+ )?(?:mortise|std|boost|__gnu_cxx)::|^operator |^__|^syscall$|^futex|^jump_fcontext$|^trampoline$")


def frames(frame, most=200):
    """Those of a task: the last is its first."""
    found = []
    while frame is not None and len(found) < most:
        found.append(frame)
        if _FIRST.search(frame.name() or ""):
            break
        try:
            frame = frame.older()
        except gdb.error:
            break
    return found


def short(name):
    """Of a function, without what is in parentheses and angle brackets, and what it returns."""
    name = memory.plain(name).replace("(anonymous namespace)::", "").replace("operator()", "operator_call")
    name = re.sub(r"\{lambda\(.*?\)#(\d+)\}", r"lambda#\1", name)
    before = None
    while before != name:
        before = name
        name = re.sub(r"<[^<>]*>|\([^()]*\)", "", name)
    name = re.sub(r" \[clone [^]]*\]| const\b", "", name)
    return re.sub(r"^.* ", "", name.strip()).replace("operator_call", "operator()")


def place(frame):
    """'hold() at demo.cpp:20'."""
    at = "in " + short(frame.name() or "0x%x" % frame.pc())
    where = frame.find_sal()
    if where.symtab is not None:
        at += " at %s:%d" % (re.sub(r".*/", "", where.symtab.filename), where.line)
    return at


def where(newest, passed):
    """What a stack does, and where in the user's code: ('mutex::lock', 'in hold at demo.cpp:20'). Adds the frames it comes past to `passed`."""
    inner = None
    for frame in frames(newest):
        passed.append(frame)
        name = frame.name() or ""
        if _FIRST.search(name):
            break
        if name and not _OURS.search(memory.plain(name)):
            return inner, place(frame)
        if memory.plain(name).startswith("mortise::") or " mortise::" in name.partition("(")[0]:
            inner = re.sub(r"^mortise::(task_detail::)?", "", short(name))
    return inner, ""


class places:
    """Where tasks stand. To unwind a stack takes gdb a hundredth of a second, and of ten thousand tasks most stand in a few places: one
    that has the same return addresses at the same depth as one before stands where that stands.
    """

    def __init__(self, process):
        self._process = process
        self._known = []  # (return addresses as [(distance from the end of the stack, bytes)], answer)

    def of(self, task):
        parked = task.has_stack and task.worker is None
        for addresses, answer in self._known if parked else ():
            first, last = addresses[0][0], addresses[-1][0] + 8
            try:
                found = memory.read(task.rest + first, last - first)
            except gdb.error:
                continue
            if all(found[at - first:at - first + 8] == address for at, address in addresses):
                return answer
        passed, addresses = [], {}
        with stack_of(self._process, task) as newest:
            answer = where(newest, passed)
            if parked and machine().pc == "rip":  # aarch64 has return addresses in other places
                for frame in passed:
                    addresses[int(frame.read_register("rsp")) - 8 - task.rest] = frame.pc().to_bytes(8, "little")
        if addresses:
            self._known.append((sorted(addresses.items()), answer))
        return answer


def beginning(task):
    """'begins with main::lambda#1', of a fiber: by the function that its closure is called by."""
    run = memory.symbol(memory.word(task.body + task.facts["closure.run"]))[0] if task.kind == "fiber" and task.body else None
    closure = re.search(r"spawn_fiber<(.*)>\(mortise::", run or "")
    return "begins with " + short(closure[1]) if closure else ""


_PAGE = 4096


def pages(process, task):
    """Addresses of the pages of a task's stack that are in use."""
    with stack_of(process, task) as newest:
        if newest is None:
            return
        of = machine()
        at = (int(gdb.newest_frame().read_register(of.sp)) if task.worker else task.rest) - 128 & -_PAGE
    for page in range(at, at + (64 << 20), _PAGE):
        try:
            memory.read(page, 1)
        except gdb.error:  # the guard of the next one
            return
        yield page


# Coroutines. A frame begins with the address of the function that resumes it; behind that and the one that destroys it comes
# the promise, whose first word says who goes on when the coroutine ends (task/task.hpp).
_ROOT, _FOREIGN = 1, 2


def coroutine_frames(innermost):
    """Addresses of the frames from the one that is suspended outwards, and whether a coroutine that is no task's awaits the last."""
    found, frame = [], innermost
    while frame != 0 and len(found) < 10000:
        found.append(frame)
        then = memory.word(frame + 16)
        if then & (_ROOT | _FOREIGN) or then == 0:
            return found, then & _FOREIGN != 0
        frame = then
    return found, False


def coroutine_place(frame):
    """'in outer, which begins at demo.cpp:33, at its co_await 2'."""
    resume = memory.word(frame)
    if resume == 0:
        return "finished"
    block = gdb.block_for_pc(resume)
    while block is not None and block.function is None:
        block = block.superblock
    name = block.function.name if block is not None else memory.symbol(resume)[0]
    at = "in " + (short(name) if name else "0x%x" % resume)
    line = gdb.find_pc_line(resume)
    if line.symtab is not None:
        at += ", which begins at %s:%d" % (re.sub(r".*/", "", line.symtab.filename), line.line)
    awaits = _suspension(frame, block)
    if awaits is not None:
        at += ", at its co_await %d" % awaits if awaits else ", not started"
    return at


def _suspension(frame, block):
    """At which of its co_await, counted in its text, where g++'s debugging information tells: the first is that before its body."""
    for argument in block or ():
        if argument.is_argument and argument.type.code == gdb.TYPE_CODE_PTR:
            try:
                index = int(gdb.Value(frame).cast(argument.type).dereference()["_Coro_resume_index"])
            except gdb.error:
                return None
            return index // 2 - 1
    return None
