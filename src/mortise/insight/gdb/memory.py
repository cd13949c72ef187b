"""The process's memory, and what the library says of itself (base/gdb_facts.hpp). No debugging information is needed."""
import re
import struct

import gdb

# Of the inline namespaces that name how a library was compiled (base/abi.hpp).
ABIS = ("v0", "v0_checked", "v0_chaos", "v0_checked_chaos")


def read(address, size):
    return bytes(gdb.selected_inferior().read_memory(address, size))


def words(address, count):
    return struct.unpack("<%dQ" % count, read(address, 8 * count))


def word(address):
    return words(address, 1)[0]


def signed(number):
    return number - (1 << 64) if number >> 63 else number


def text(address):
    found = bytearray()
    while b"\0" not in found and len(found) < 4096:
        found += read(address + len(found), 16 - (address + len(found)) % 16)
    return found.partition(b"\0")[0].decode("utf-8", "replace")


def symbol(address):
    """The symbol that an address lies in, and how far behind its beginning; (None, 0): in none."""
    if address == 0:
        return None, 0
    said = gdb.execute("info symbol %d" % address, to_string=True)
    found = re.match(r"(.*?)(?: \+ (\d+))? in section ", said)
    return (found[1], int(found[2] or 0)) if found else (None, 0)


def plain(name):
    """Without inline namespaces: mortise::v0::mutex is mortise::mutex."""
    return re.sub(r"\bmortise::v\d+\w*::", "mortise::", name)


def type_name(of):
    """Not str(of): in a function that is C a class is `class mortise::v0::mutex`."""
    return plain(of.strip_typedefs().unqualified().name or "")


class facts:
    """What one library says: facts['task.size'] is a number or an address."""

    def __init__(self, table, abi):
        self.abi = abi
        self._known = {}
        self._read(table)

    def _read(self, table):
        while True:
            name, number, address = words(table, 3)
            if name == 0:
                return
            name = text(name)
            if name == "table":
                self._read(address)
            else:
                self._known[name] = address or number
            table += 24

    def __getitem__(self, name):
        try:
            return self._known[name]
        except KeyError:
            raise gdb.GdbError("this script is for another version of mortise: nothing is known of " + name)

    def __contains__(self, name):
        return name in self._known


def libraries():
    """The facts of each mortise in the process: one, unless shared objects brought others."""
    if gdb.selected_thread() is None:
        raise gdb.GdbError("there is neither a process nor a core")
    found = []
    for abi in ABIS:
        try:
            table = int(gdb.parse_and_eval(
                "(unsigned long) &'mortise::%s::task_detail::gdb_view::tasks'" % abi))
        except gdb.error:
            continue
        found.append(facts(table, abi))
    if not found:
        raise gdb.GdbError("there is no mortise::task in this program, or its symbols were stripped")
    return found


def values_of_map(table, value):
    """Where the values of a std::unordered_map's nodes lie; its nodes are a chain that begins in its third word."""
    node = word(table + 16)
    while node != 0:
        yield node + value
        node = word(node)
