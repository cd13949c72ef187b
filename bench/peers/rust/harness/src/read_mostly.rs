//! A small value that many read and few write, behind a lock that readers share; and that lock when nobody else wants it.
//!
//!     rw_uncontended kind:thread iterations:N
//!     read_mostly    kind:thread parties:N reads:R for_ms:T seed:S

use crate::{
    durations::Durations, invalid, keys::Keys, line::Line, process::ns_since, process::stay_on_core, process::usable_cores,
    stalls::Stalls,
    threads::{add_slices, beside_another_thread, PAIRS_OF_A_SLICE}, window::*, Outcome,
};
use std::{thread, time::Instant};

/// Eight numbers on lines of their own, all equal. A writer adds one to each.
pub type Numbers = Apart<[u64; 8]>;

/// The lock that is measured, as its users have it: around what it guards.
pub trait SharedLock: Sync {
    fn new(value: Numbers) -> Self;
    fn read<R>(&self, section: impl FnOnce(&Numbers) -> R) -> R;
    fn write<R>(&self, section: impl FnOnce(&mut Numbers) -> R) -> R;
}

#[inline(never)]
fn read_in_turn<L: SharedLock>(value: &L) -> u64 {
    (0..PAIRS_OF_A_SLICE).map(|_| value.read(|v| v.0[0])).sum()
}

pub fn rw_uncontended<L: SharedLock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let iterations = given.number("iterations", 3_000_000, PAIRS_OF_A_SLICE, 10_000_000_000)?;
    given.no_others()?;
    let value = L::new(Apart([1; 8]));
    let mut ns = vec![0; (iterations / PAIRS_OF_A_SLICE) as usize];
    let mut sum = 0;
    beside_another_thread(|| {
        for took in &mut ns {
            let begin = Instant::now();
            sum += read_in_turn(&value);
            *took = ns_since(begin);
        }
    });
    add_slices(line, ns, sum)
}

/// What is asked for.
pub struct ReadMostly {
    pub parties: usize,
    pub reads: u64, // of a hundred turns
    pub for_ms: u64,
    pub seed: u64,
}

impl ReadMostly {
    pub fn read(given: &mut Keys) -> Outcome<ReadMostly> {
        Ok(ReadMostly {
            parties: given.count("parties", 100, 1, 10_000)?,
            reads: given.number("reads", 90, 0, 100)?,
            for_ms: given.number("for_ms", 500, 1, 3_600_000)?,
            seed: given.number("seed", 1, 0, 1_000_000_000)?,
        })
    }
}

/// One party: what its next turn is, and what it does with the lock held. Waits are the writers': of all writes where they are
/// rare, else of one in 16.
pub struct Party {
    random: u64,
    writes_below: u64,
    samples: Sampler,
    all_timed: bool,
    waits: Durations,
    writes: u64,
    torn: u64,
}

impl Party {
    pub fn new(asked: &ReadMostly, me: usize) -> Party {
        let seed = asked.seed + me as u64;
        Party {
            random: scattered(seed),
            writes_below: (100 - asked.reads) << 32,
            samples: Sampler::new(seed),
            all_timed: asked.reads >= 95,
            waits: Durations::new(),
            writes: 0,
            torn: 0,
        }
    }
    #[inline]
    pub fn writes_next(&mut self) -> bool {
        self.writes_below != 0 && (xorshift(&mut self.random) >> 32) * 100 < self.writes_below
    }
    /// Before a writer's lock.
    #[inline]
    pub fn asks(&mut self) -> Option<Instant> {
        (self.all_timed || self.samples.due()).then(Instant::now)
    }
    #[inline]
    pub fn write(&mut self, asked: Option<Instant>, value: &mut Numbers) {
        if let Some(asked) = asked {
            self.waits.record(ns_since(asked));
        }
        value.0.iter_mut().for_each(|each| *each += 1);
        self.writes += 1;
    }
    #[inline]
    pub fn read(&mut self, value: &Numbers) {
        let differ = value.0.iter().fold(0, |differ, each| differ | (each ^ value.0[0]));
        self.torn += u64::from(differ != 0);
    }
}

/// Of all parties, when they have ended: an error if the lock let a reader in beside a writer, or two writers.
pub fn add_read_mostly(line: &mut Line, seen: Within, parties: &[Party], ops: &[Ops], value: &Numbers, machine: &Stalls) -> Outcome<()> {
    let writes: u64 = parties.iter().map(|p| p.writes).sum();
    let torn: u64 = parties.iter().map(|p| p.torn).sum();
    let ops: u64 = ops.iter().map(Ops::get).sum();
    if torn != 0 {
        return invalid(format!("{torn} readers saw half of a write"));
    }
    if let Some(each) = value.0.iter().find(|each| **each != writes) {
        return invalid(format!("a number holds {each} of {writes} writes"));
    }
    let mut waits = Durations::new();
    parties.iter().for_each(|p| waits.add(&p.waits));
    let rate = seen.sum() as f64 * 1e9 / seen.duration_ns as f64;
    let part = writes as f64 / ops as f64;
    seen.add_to(line);
    line.add("reads_per_s", rate * (1.0 - part)).add("writes_per_s", rate * part);
    if waits.total() != 0 {
        waits.add_waits_to(line);
    }
    machine.add_to(line);
    Ok(())
}

pub fn read_mostly<L: SharedLock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let asked = ReadMostly::read(given)?;
    given.no_others()?;
    let machine = Stalls::measure(asked.for_ms);
    let value = L::new(Numbers::default());
    let time = Window::default();
    let ops: Vec<Ops> = (0..asked.parties).map(|_| Ops::default()).collect();
    let (seen, parties) = thread::scope(|threads| {
        let all: Vec<_> = (0..asked.parties)
            .map(|me| {
                let (value, time, own, asked) = (&value, &time, &ops[me], &asked);
                threads.spawn(move || {
                    if asked.parties <= usable_cores() {
                        stay_on_core(me);
                    }
                    read_or_write(value, time, own, Party::new(asked, me))
                })
            })
            .collect();
        let seen = time.watch(&ops, asked.for_ms);
        (seen, all.into_iter().map(|t| t.join().unwrap()).collect::<Vec<_>>())
    });
    value.read(|v| add_read_mostly(line, seen, &parties, &ops, v, &machine))
}

fn read_or_write<L: SharedLock>(value: &L, time: &Window, ops: &Ops, mut own: Party) -> Party {
    time.arrive();
    while !time.is_open() {
        thread::yield_now();
    }
    while !time.is_closed() {
        if own.writes_next() {
            let asked = own.asks();
            value.write(|v| own.write(asked, v));
        } else {
            value.read(|v| own.read(v));
        }
        ops.done();
    }
    own
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::RwLock;

    /// Keeps others out, but loses a part of every fourth write.
    struct Lossy(RwLock<(Numbers, u64)>);

    impl SharedLock for Lossy {
        fn new(value: Numbers) -> Self {
            Lossy(RwLock::new((value, 0)))
        }
        fn read<R>(&self, section: impl FnOnce(&Numbers) -> R) -> R {
            section(&self.0.read().unwrap().0)
        }
        fn write<R>(&self, section: impl FnOnce(&mut Numbers) -> R) -> R {
            let mut hold = self.0.write().unwrap();
            hold.1 += 1;
            let lost = u64::from(hold.1 % 4 == 0);
            let result = section(&mut hold.0);
            hold.0 .0[7] -= lost;
            result
        }
    }

    // The control: with a lock that loses writes the workload must fail.
    #[test]
    fn a_lock_that_loses_writes_is_found_out() {
        let words: Vec<_> = ["parties:2", "reads:50", "for_ms:10"].iter().map(|w| w.to_string()).collect();
        let run = |given: &[String]| read_mostly::<Lossy>(&mut Keys::read(given)?, &mut Line::new("test"));
        assert!(run(&words).is_err());
    }
}
