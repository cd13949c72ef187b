"""The set test: is each acknowledged element there at the end, and each that is there, there once and rightly?

It needs nothing but the histories; the checker in Go says whether all of it happened in one order that everybody could have seen.
"""

import dataclasses
import json


@dataclasses.dataclass
class Count:
    adds: int = 0
    acknowledged: int = 0
    lost: int = 0  # reported as lost or failed: not applied, ever
    unknown: int = 0  # reported as unknown, or killed meanwhile: applied once, or not
    unknown_applied: int = 0
    reads: int = 0
    missing: int = 0  # acknowledged, and not there at the end
    doubled: int = 0  # there more than once
    unasked: int = 0  # there, though reported as not applied or never added
    keys: int = 0
    examples: list = dataclasses.field(default_factory=list)

    @property
    def wrong(self):
        return self.missing + self.doubled + self.unasked


def operations(path):
    """Each operation of a file with its end, if it has one: pairs of dicts. A last line that was cut off as its writer was killed is left out."""
    begun = {}
    with open(path, encoding="ascii") as file:
        for line in file:
            if not line.endswith("\n"):
                break
            said = json.loads(line)
            if "do" in said:
                begun[said["op"]] = [said, None]
            else:
                begun[said["op"]][1] = said
    return list(begun.values())


def keys_of(paths):
    return sorted({begin["key"] for path in paths for begin, _ in operations(path)}, key=lambda k: (len(k), k))


def last_acknowledged(path):
    """When the last add of this client was acknowledged, in ns; 0: never."""
    return max((end["t"] for begin, end in operations(path) if begin["do"] == "add" and end and end["end"] == "ok"), default=0)


def set_test(paths, last):
    """`last` is the history of who read every key after all others had gone."""
    final = {begin["key"]: end["value"] for begin, end in operations(last) if end and end["end"] == "ok"}
    count = Count(keys=len(final))
    fate = {}  # element -> key and fate
    for path in paths:
        for begin, end in operations(path):
            how = end["end"] if end else "unknown"
            if begin["do"] == "read":
                count.reads += how == "ok"
                continue
            count.adds += 1
            count.acknowledged += how == "ok"
            count.lost += how in ("lost", "failed")
            count.unknown += how == "unknown"
            fate[begin["x"]] = begin["key"], how

    def note(what, x):
        if len(count.examples) < 5:
            count.examples.append(f"{what}: {x}")

    for key in {key for key, _ in fate.values()} - final.keys():
        raise ValueError(f"nobody read {key} at the end")
    there = {key: {} for key in final}
    for key, value in final.items():
        for x in value:
            there[key][x] = there[key].get(x, 0) + 1
    for x, (key, how) in fate.items():
        times = there[key].pop(x, 0)
        if how == "ok" and times == 0:
            count.missing += 1
            note("acknowledged and not there", x)
        if times > 1:
            count.doubled += 1
            note(f"there {times} times", x)
        if how in ("lost", "failed") and times:
            count.unasked += 1
            note(f"reported as {how} and there", x)
        count.unknown_applied += how == "unknown" and times > 0
    for rest in there.values():
        for x in rest:
            count.unasked += 1
            note("never added to this key", x)
    return count
