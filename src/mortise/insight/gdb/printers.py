"""How locks, guarded values and coroutines are shown by `print`."""
import re

import gdb
import gdb.printing
from mortise_gdb import memory, queues, stacks


def _length(first):
    many = 0
    facts = memory.libraries()[0]
    while first != 0 and many < 1000000:
        many += 1
        first = memory.word(first + facts["waiter.next"])
    return many


def _waiting(first):
    try:
        return ", %d waiting" % _length(first) if first else ""
    except (gdb.error, OverflowError):
        return ", others waiting"


def _number(value, offset=0):
    return memory.word(int(value.address) + offset)


def _mutex(value):
    word = _number(value)
    state = "held" if word & 1 else "reserved for who waits" if word & 2 else "free"
    return state + _waiting(queues.head_of(word))


def _shared_mutex(value):
    word = _number(value)
    readers = word & int(value["readers"])
    state = "held by a writer" if word & int(value["writer"]) else "%d readers" % readers if readers else "free"
    if word & int(value["slots"]):
        state += ", with readers counted in slots"
    return state + _waiting(_number(value, 8) & ~7)


class mutex_printer:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        return "mortise::mutex (%s)" % _mutex(self._value)


class shared_mutex_printer:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        return "mortise::shared_mutex (%s)" % _shared_mutex(self._value)


class guarded_printer:
    def __init__(self, value):
        self._value = value

    def to_string(self):
        mutex = self._value["m_mutex"]
        kind = memory.type_name(mutex.type)
        state = {"mortise::mutex": _mutex, "mortise::shared_mutex": _shared_mutex}.get(kind, lambda _: kind)
        return "mortise::guarded (%s)" % state(mutex)

    def children(self):
        yield "value", self._value["m_value"]


class task_printer:
    """mortise::task<T>: a coroutine that was not given to go, nor is awaited yet; or is awaited, and suspended somewhere."""

    def __init__(self, value):
        self._value = value

    def to_string(self):
        frame = int(self._value["m_frame"]["_M_fr_ptr"])
        return "mortise::task (%s)" % (stacks.coroutine_place(frame) if frame else "empty")


class _printers(gdb.printing.PrettyPrinter):
    KINDS = ((r"mortise::mutex$", mutex_printer), (r"mortise::shared_mutex$", shared_mutex_printer),
             (r"mortise::guarded<.*>$", guarded_printer), (r"mortise::task<.*>$", task_printer))

    def __call__(self, value):
        kind = value.type.strip_typedefs().unqualified()
        if kind.code != gdb.TYPE_CODE_STRUCT or value.address is None:
            return None
        name = memory.type_name(kind)
        return next((printer(value) for pattern, printer in self.KINDS if re.match(pattern, name)), None)


gdb.printing.register_pretty_printer(gdb.current_objfile(), _printers("mortise"), replace=True)
