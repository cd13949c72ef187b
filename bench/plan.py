"""What is measured, against whom, and what it must reach: the bars of the table, each written once."""

import dataclasses
import os
from typing import Callable, Optional

from contenders import Contender


@dataclasses.dataclass(frozen=True)
class Bar:
    """A bar on the median, or on the median's ratio to the peers: `>=` or `<=`, and by how much."""

    sense: str
    absolute: Optional[float] = None
    ratios: tuple = ()  # one for each of the row's peers

    def met(self, median, ratios):
        value_of = [(median, self.absolute)] if self.absolute is not None else []
        value_of += list(zip(ratios, self.ratios))
        if any(value is None for value, _ in value_of):
            return None  # a peer is missing: neither met nor not
        return all(value >= bar if self.sense == ">=" else value <= bar for value, bar in value_of)


@dataclasses.dataclass(frozen=True)
class Row:
    metric: str
    bench: str
    of: Callable[[dict], float]
    show: Callable[[float], str]
    peers: tuple = ()  # of (label, benches): the best of the benches counts
    bar: Optional[Bar] = None


@dataclasses.dataclass(frozen=True)
class Work:
    id: str
    title: str
    contenders: tuple
    rows: tuple


def grouped(value):
    return f"{value:,.0f}"


def millions(value):
    return f"{value / 1e6:.2f} M"


def nanoseconds(value):
    return f"{value:.2f}"


def microseconds(value):
    return f"{value / 1e3:.1f}"


def percent(value):
    return f"{value:.2f}"


def ops_per_s(record):
    return record["ops_per_s"]


def cpu_percent(record):
    return 100 * record["cpu_ns"] / record["duration_ns"]


def field(name):
    return lambda record: record[name]


class Plan:
    def __init__(self, build, quick):
        self.m_build = build
        self.m_quick = quick

    def works(self):
        return [self.p1(), self.p2(), self.p3(), self.p4(), self.p5(), self.p8(), self.idle()]

    def bench(self, program, *arguments):
        return (str(self.m_build / "bench" / program), *map(str, arguments))

    def ours(self, name, readers, writers, seconds, *arguments):
        return Contender(name, (str(self.m_build / "mortise"), "run", "--json", "--readers", str(readers),
                                "--writers", str(writers), "--for", f"{seconds}s", *arguments))

    def go(self, name, readers, writers, seconds, procs=None):
        command = self.bench("peers/go/seed", "-json", "-readers", readers, "-writers", writers,
                             "-for", f"{seconds}s")
        environment = (("GOMAXPROCS", str(procs)),) if procs else ()
        return Contender(name, command, environment, renamed=True)

    def p1(self):
        size = "readers:100/writers:10"
        ours = {kind: f"seed/mortise/kind:{kind}/{size}" for kind in ("fiber", "coroutine")}
        go = f"seed/go/procs:default/{size}"
        peers = (("go", (go,)),)
        rows = [Row("ops/s", name, ops_per_s, grouped, peers, Bar(">=", 109_000)) for name in ours.values()]
        rows += [Row("ops/s", go, ops_per_s, grouped)]
        rows += [Row("cpu % of a core", name, cpu_percent, percent, peers, Bar("<=", 15))
                 for name in ours.values()]
        rows += [Row("cpu % of a core", go, cpu_percent, percent)]
        contenders = [self.ours(name, 100, 10, 1, "--tasks", kind) for kind, name in ours.items()]
        return Work("P1", "100+10, 1 s", (*contenders, self.go(go, 100, 10, 1)), tuple(rows))

    def many(self, id_, readers, writers, bar):
        """The seed's program where it fills the machine: fibers and coroutines, one worker and two."""
        seconds = 1 if self.m_quick else 3
        size = f"readers:{readers}/writers:{writers}"
        ours = [(f"seed/mortise/kind:{kind}/workers:{workers}/{size}", kind, workers)
                for kind in ("fiber", "coroutine") for workers in (1, 2)]
        # Go's best GOMAXPROCS is looked for among its default, one, and two where the default is more.
        procs = [("default", None), ("1", 1)] + ([("2", 2)] if len(os.sched_getaffinity(0)) > 2 else [])
        go = [(f"seed/go/procs:{label}/{size}", count) for label, count in procs]
        peers = (("go", (go[0][0],)), ("go's best", tuple(name for name, _ in go)))
        rows = [Row("ops/s", name, ops_per_s, millions, peers, bar) for name, _, _ in ours]
        rows += [Row("ops/s", name, ops_per_s, millions) for name, _ in go]
        contenders = [self.ours(name, readers, writers, seconds, "--tasks", kind, "--workers", str(workers))
                      for name, kind, workers in ours]
        contenders += [self.go(name, readers, writers, seconds, count) for name, count in go]
        return Work(id_, f"{readers:,}+{writers:,}, {seconds} s", tuple(contenders), tuple(rows))

    def p2(self):
        return self.many("P2", 10_000, 1_000, Bar(">=", 9.5e6))

    def p3(self):
        return self.many("P3", 100_000, 10_000, Bar(">=", ratios=(4, 2)))

    def p4(self):
        tasks = 100_000 if self.m_quick else 1_000_000
        kinds = {"coroutine": 256, "fiber": 6_144}
        go = f"footprint/go/tasks:{tasks}"
        contenders, resident, tables = [], [], []
        for kind, bytes_ in kinds.items():
            name = f"footprint/mortise/kind:{kind}/tasks:{tasks}"
            contenders.append(Contender(name, self.bench("footprint", kind, tasks)))
            resident.append(Row("resident bytes a task", name, field("bytes_per_task"), grouped,
                                (("go", (go,)),), Bar("<=", bytes_)))
            tables.append(Row("page-table bytes a task", name, field("page_table_bytes_per_task"), percent))
        contenders.append(Contender(go, self.bench("peers/go/sleepers", "-tasks", tasks)))
        resident.append(Row("resident bytes a task", go, field("bytes_per_task"), grouped))
        tables.append(Row("page-table bytes a task", go, field("page_table_bytes_per_task"), percent))
        return Work("P4", f"{tasks:,} asleep", tuple(contenders), (*resident, *tables))

    def p5(self):
        repetitions, iterations = (5, 1_000_000) if self.m_quick else (9, 3_000_000)
        kinds = ("thread", "fiber")
        std = {kind: f"uncontended/std/kind:{kind}" for kind in kinds}
        control = {kind: f"uncontended/control/kind:{kind}" for kind in kinds}
        others = ["uncontended/boost_fiber/kind:fiber", "uncontended/go/kind:goroutine"]
        rows = [Row("lock+unlock ns", f"uncontended/mortise/kind:{kind}", field("ns"), nanoseconds,
                    (("std", (std[kind],)), ("go", (others[1],))), Bar("<=", ratios=(1,))) for kind in kinds]
        rows += [Row("lock+unlock ns", name, field("ns"), nanoseconds) for name in std.values()]
        rows += [Row("lock+unlock ns", control[kind], field("ns"), nanoseconds, (("std", (std[kind],)),))
                 for kind in kinds]
        rows += [Row("lock+unlock ns", name, field("ns"), nanoseconds, (("std", (std["thread"],)),))
                 for name in others]
        ours = Contender("uncontended", self.bench("uncontended", repetitions, iterations))
        go = Contender(others[1], self.bench("peers/go/uncontended", "-repetitions", repetitions,
                                             "-iterations", iterations))
        return Work("P5", "uncontended", (ours, go), tuple(rows))

    def p8(self):
        samples = 200 if self.m_quick else 1_000
        std = "sleep/std/kind:thread"
        names = [f"sleep/mortise/kind:{kind}" for kind in ("fiber", "coroutine")]
        everyone = [*names, "sleep/mortise/kind:thread", std]
        rows = []
        for quantile, bar in (("p50", 20_000), ("p99", 200_000), ("max", None)):
            for name in everyone:
                rows.append(Row(f"late by, us, {quantile}", name, field(f"{quantile}_ns"), microseconds,
                                (("std", (std,)),) if name != std else (),
                                Bar("<=", bar) if bar and name in names else None))
        rows += [Row("cpu % of a core", name, cpu_percent, percent) for name in everyone]
        contender = Contender("sleep", self.bench("sleep", samples))
        return Work("P8", "1 ms sleep, idle", (contender,), tuple(rows))

    def idle(self):
        seconds = 1 if self.m_quick else 5
        name = "idle/mortise/kind:mixed/tasks:1000"
        row = Row("cpu % of a core", name, cpu_percent, percent, (), Bar("<=", 1))
        contender = Contender(name, self.bench("idle", 1000, seconds))
        return Work("idle", f"1,000 asleep, {seconds} s", (contender,), (row,))
