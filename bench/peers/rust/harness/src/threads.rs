//! The workloads on OS threads, over a mutex that guards a counter.
//!
//!     uncontended kind:thread iterations:N
//!     contended   kind:thread parties:N held_ns:H gap_ns:G for_ms:T seed:S
//!     hog         kind:thread parties:N hog_ns:H held_ns:H gap_ns:G for_ms:T seed:S
//!     burst       kind:thread parties:N held_ns:H for_ms:T

use crate::{
    durations::Durations, invalid, keys::Keys, line::Line, process::cpu_ns, process::ns_since, spin::Spin, stalls::Stalls,
    window::*, Outcome,
};
use std::{
    sync::atomic::{AtomicBool, AtomicU64, Ordering::*},
    sync::{Condvar, Mutex},
    thread,
    time::Instant,
};

/// The mutex that is measured, as its users have it: around what it guards.
pub trait Lock: Sync {
    fn new() -> Self;
    fn with<R>(&self, section: impl FnOnce(&mut u64) -> R) -> R;
    /// The wait, if it was timed, and the section.
    #[inline]
    fn timed(&self, wait: &mut Durations, section: impl FnOnce(&mut u64)) {
        let asked = Instant::now();
        self.with(|n| {
            wait.record(ns_since(asked));
            section(n)
        })
    }
}

const SLICE: u64 = 20_000;

#[repr(align(64))]
struct Counter<L>(L);

#[inline(never)]
fn lock_and_unlock<L: Lock>(counter: &Counter<L>) {
    for _ in 0..SLICE {
        counter.0.with(|n| *n += 1);
    }
}

/// Measured in slices of some hundred microseconds; ns is the median slice, in which a core that was taken away for a while
/// does not show. Another thread is alive.
pub fn uncontended<L: Lock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let iterations = given.number("iterations", 3_000_000, SLICE, 10_000_000_000)?;
    given.no_others()?;
    let counter = Counter(L::new());
    let mut ns = vec![0; (iterations / SLICE) as usize];
    beside_another_thread(|| {
        for took in &mut ns {
            let begin = Instant::now();
            lock_and_unlock(&counter);
            *took = ns_since(begin);
        }
    });
    add_slices(line, ns, counter.0.with(|n| *n))
}

/// Runs it in a process that has another thread, which sleeps.
pub fn beside_another_thread(run: impl FnOnce()) {
    let over = (Mutex::new(false), Condvar::new());
    thread::scope(|threads| {
        threads.spawn(|| {
            let mut hold = over.0.lock().unwrap();
            while !*hold {
                hold = over.1.wait(hold).unwrap();
            }
        });
        run();
        *over.0.lock().unwrap() = true;
        over.1.notify_one();
    });
}

/// Of slices with so many pairs of lock and unlock each: the median and the mean of a pair.
pub fn add_slices(line: &mut Line, mut ns: Vec<u64>, counter: u64) -> Outcome<()> {
    let pairs = ns.len() as u64 * SLICE;
    if counter != pairs {
        return invalid("the counter does not add up");
    }
    ns.sort_unstable();
    line.add("ns", ns[ns.len() / 2] as f64 / SLICE as f64)
        .add("mean_ns", ns.iter().sum::<u64>() as f64 / pairs as f64)
        .add("iterations", pairs);
    Ok(())
}
pub const PAIRS_OF_A_SLICE: u64 = SLICE;

/// The keys of contended and of hog, whose first party holds for `first_ns`.
pub struct Contention {
    pub parties: usize,
    pub held: Spin,
    pub first: Spin,
    pub gap: Spin,
    pub for_ms: u64,
    pub seed: u64,
}

impl Contention {
    pub fn read(given: &mut Keys, hog: bool) -> Outcome<Contention> {
        const SECOND: u64 = 1_000_000_000;
        let hog_ns = if hog { Some(given.number("hog_ns", 500_000, 0, SECOND)?) } else { None };
        let held_ns = given.number("held_ns", if hog { 20 } else { 0 }, 0, SECOND)?;
        let gap_ns = given.number("gap_ns", if hog { 200 } else { 0 }, 0, SECOND)?;
        Ok(Contention {
            parties: given.count("parties", 8, if hog { 2 } else { 1 }, 10_000)?,
            held: Spin::new(held_ns),
            first: Spin::new(hog_ns.unwrap_or(held_ns)),
            gap: Spin::new(gap_ns),
            for_ms: given.number("for_ms", 500, 1, 3_600_000)?,
            seed: given.number("seed", 1, 0, 1_000_000_000)?,
        })
    }
    pub fn held_by(&self, party: usize) -> Spin {
        if party == 0 {
            self.first
        } else {
            self.held
        }
    }
}

/// What a run of contended or hog came to. Of hog only the others count.
pub fn add_contended(line: &mut Line, hog: bool, mut seen: Within, waits: &[Durations], machine: &Stalls) {
    let others = usize::from(hog);
    let mut all = Durations::new();
    waits[others..].iter().for_each(|each| all.add(each));
    if hog {
        line.add("hog_ops", seen.ops.remove(0));
    }
    seen.add_to(line);
    all.add_waits_to(line);
    machine.add_to(line);
}

fn contend<L: Lock>(given: &mut Keys, line: &mut Line, hog: bool) -> Outcome<()> {
    let asked = Contention::read(given, hog)?;
    given.no_others()?;
    let machine = Stalls::measure(asked.for_ms);
    let counter = Counter(L::new());
    let time = Window::default();
    let ops: Vec<Ops> = (0..asked.parties).map(|_| Ops::default()).collect();
    let (seen, waits) = thread::scope(|threads| {
        let all: Vec<_> = (0..asked.parties)
            .map(|me| {
                let (counter, time, own, asked) = (&counter.0, &time, &ops[me], &asked);
                threads.spawn(move || contending(counter, time, own, asked, me))
            })
            .collect();
        let seen = time.watch(&ops, asked.for_ms);
        (seen, all.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>())
    });
    require_sum(&ops, counter.0.with(|n| *n))?;
    add_contended(line, hog, seen, &waits, &machine);
    Ok(())
}

fn contending<L: Lock>(counter: &L, time: &Window, own: &Ops, asked: &Contention, me: usize) -> Durations {
    let (held, gap) = (asked.held_by(me), asked.gap);
    let mut waits = Durations::new();
    let mut samples = Sampler::new(asked.seed + me as u64);
    time.arrive();
    while !time.is_open() {
        thread::yield_now();
    }
    while !time.is_closed() {
        let section = |n: &mut u64| {
            *n += 1;
            held.pass()
        };
        if samples.due() {
            counter.timed(&mut waits, section);
        } else {
            counter.with(section);
        }
        own.done();
        gap.pass();
    }
    waits
}

pub fn contended<L: Lock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    contend::<L>(given, line, false)
}

pub fn hog<L: Lock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    contend::<L>(given, line, true)
}

/// All parties arrive at once, again and again. std::sync::Barrier lets them go; the round begins when the last arrives and
/// ends when the last had the mutex. The first is not counted.
pub fn burst<L: Lock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let parties = given.count("parties", 8, 1, 10_000)?;
    let held = Spin::new(given.number("held_ns", 20, 0, 1_000_000_000)?);
    let for_ms = given.number("for_ms", 500, 1, 3_600_000)?;
    given.no_others()?;
    let machine = Stalls::measure(for_ms);
    let counter = Counter(L::new());
    let barrier = RoundBarrier::new(parties as u64, for_ms);
    let rounds = Mutex::new(Durations::new());
    let cpu = cpu_ns();
    thread::scope(|threads| {
        for _ in 0..parties {
            threads.spawn(|| {
                while barrier.arrive() {
                    let last = counter.0.with(|n| {
                        held.pass();
                        *n += 1;
                        *n % parties as u64 == 0
                    });
                    if last {
                        barrier.ended(&rounds);
                    }
                }
            });
        }
    });
    let rounds = rounds.into_inner().unwrap();
    let ops = counter.0.with(|n| *n);
    if ops != (rounds.total() + 1) * parties as u64 {
        return invalid("the counter does not add up");
    }
    line.add("ns", rounds.quantile(0.5))
        .add("p99_ns", rounds.quantile(0.99))
        .add("max_ns", rounds.longest())
        .add("ops", ops)
        .add("rounds", rounds.total())
        .add("cpu_ns", cpu_ns() - cpu);
    machine.add_to(line);
    Ok(())
}

/// Lets all go when the last has arrived, until the time is over. Threads sleep on a condition there.
struct RoundBarrier {
    parties: u64,
    begin: Instant,
    for_ns: u64,
    state: Mutex<(u64, u64)>, // who has arrived, the round
    changed: Condvar,
    opened: AtomicU64,
    first: AtomicBool,
    over: AtomicBool,
}

impl RoundBarrier {
    fn new(parties: u64, for_ms: u64) -> RoundBarrier {
        RoundBarrier {
            parties,
            begin: Instant::now(),
            for_ns: for_ms * 1_000_000,
            state: Mutex::new((0, 0)),
            changed: Condvar::new(),
            opened: AtomicU64::new(0),
            first: AtomicBool::new(true),
            over: AtomicBool::new(false),
        }
    }

    /// False: it is over.
    fn arrive(&self) -> bool {
        let mut hold = self.state.lock().unwrap();
        hold.0 += 1;
        if hold.0 == self.parties {
            let now = ns_since(self.begin);
            self.over.store(hold.1 >= 2 && now >= self.for_ns, Relaxed); // the first round and one that counts
            self.opened.store(now, Relaxed);
            *hold = (0, hold.1 + 1);
            self.changed.notify_all();
        } else {
            let round = hold.1;
            while hold.1 == round {
                hold = self.changed.wait(hold).unwrap();
            }
        }
        !self.over.load(Relaxed)
    }

    /// By who had the mutex last; all others are at the barrier or on their way there.
    fn ended(&self, rounds: &Mutex<Durations>) {
        let took = ns_since(self.begin) - self.opened.load(Relaxed);
        if !self.first.swap(false, Relaxed) {
            rounds.lock().unwrap().record(took);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Keeps others out, but takes back every fourth increment, as a lost update would.
    struct Lossy(Mutex<(u64, u64)>);

    impl Lock for Lossy {
        fn new() -> Self {
            Lossy(Mutex::new((0, 0)))
        }
        fn with<R>(&self, section: impl FnOnce(&mut u64) -> R) -> R {
            let mut hold = self.0.lock().unwrap();
            hold.1 += 1;
            let lost = hold.1 % 4 == 0; // a busy machine gives no more than four in the time
            let result = section(&mut hold.0);
            hold.0 -= u64::from(lost);
            result
        }
    }

    fn run(workload: fn(&mut Keys, &mut Line) -> Outcome<()>, words: &[&str]) -> Outcome<()> {
        let words: Vec<_> = words.iter().map(|w| w.to_string()).collect();
        workload(&mut Keys::read(&words)?, &mut Line::new("test"))
    }

    // The control: with a lock that loses increments every workload must fail.
    #[test]
    fn a_lock_that_loses_increments_is_found_out() {
        assert!(run(uncontended::<Lossy>, &["iterations:20000"]).is_err());
        assert!(run(contended::<Lossy>, &["parties:2", "for_ms:10"]).is_err());
        assert!(run(hog::<Lossy>, &["parties:2", "hog_ns:0", "for_ms:10"]).is_err());
        assert!(run(burst::<Lossy>, &["parties:2", "for_ms:10"]).is_err());
    }
}
