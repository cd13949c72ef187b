"""Writes pages into a core. gdb's generate-core-file copies a mapping by the megabyte and gives up at the first page that it cannot read,
which a guard made by MADV_GUARD_INSTALL is: then no fiber's stack is in it. (The kernel leaves out that page alone.)
"""
import struct

from mortise_gdb import memory

_LOAD = 1
_PAGE = 4096


def _segments(core):
    """(address, offset in the file, size) of what was in memory."""
    header = core.read(64)
    first, = struct.unpack_from("<Q", header, 32)
    size, many = struct.unpack_from("<HH", header, 54)
    for i in range(many):
        core.seek(first + i * size)
        kind, _, offset, address, _, in_file = struct.unpack_from("<IIQQQQ", core.read(size))
        if kind == _LOAD and in_file != 0:
            yield address, offset, in_file


def put(file, pages):
    with open(file, "r+b") as core:
        segments = list(_segments(core))
        for page in pages:
            for address, offset, size in segments:
                if address <= page and page + _PAGE <= address + size:
                    core.seek(offset + page - address)
                    core.write(memory.read(page, _PAGE))
