//! What workloads with a window of time share: parties that begin together, each party's own counts, and the window itself.

use crate::{invalid, line::Line, process::cpu_ns, process::ns_since, Outcome};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::*};
use std::{thread, time::Duration, time::Instant};

/// Which acquisitions of a party are timed: the first, then one in 16 on average, at random, so that no rhythm of a lock
/// hides from it.
pub struct Sampler {
    state: u64,
    left: u32,
}

pub fn scattered(seed: u64) -> u64 {
    seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1
}

pub fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

impl Sampler {
    pub fn new(seed: u64) -> Sampler {
        Sampler { state: scattered(seed), left: 1 }
    }
    #[inline]
    pub fn due(&mut self) -> bool {
        self.left -= 1;
        if self.left != 0 {
            return false;
        }
        self.left = 1 + (xorshift(&mut self.state) % 31) as u32; // 1..=31
        true
    }
}

/// A value on cache lines of its own.
#[repr(align(128))]
#[derive(Default)]
pub struct Apart<T>(pub T);

/// What one party did; read by others in the middle of the run.
#[derive(Default)]
pub struct Ops(Apart<AtomicU64>);

impl Ops {
    /// By its party only: no read-modify-write.
    #[inline]
    pub fn done(&self) {
        self.0 .0.store(self.0 .0.load(Relaxed) + 1, Relaxed)
    }
    pub fn get(&self) -> u64 {
        self.0 .0.load(Relaxed)
    }
}

/// The flags that parties look at and one thread sets.
#[derive(Default)]
pub struct Window {
    open: Apart<AtomicBool>,
    closed: Apart<AtomicBool>,
    arrived: Apart<AtomicUsize>,
}

impl Window {
    pub fn arrive(&self) {
        self.arrived.0.fetch_add(1, Release);
    }
    pub fn is_open(&self) -> bool {
        self.open.0.load(Acquire)
    }
    #[inline]
    pub fn is_closed(&self) -> bool {
        self.closed.0.load(Relaxed)
    }
    pub fn close(&self) {
        self.closed.0.store(true, Relaxed)
    }

    /// Waits until so many have arrived.
    pub fn await_all(&self, parties: usize) {
        while self.arrived.0.load(Acquire) != parties {
            thread::sleep(Duration::from_micros(200));
        }
    }

    pub fn open(&self) -> Instant {
        let begin = Instant::now();
        self.open.0.store(true, Release);
        begin
    }

    /// Waits until all have arrived, opens, waits, reads what they did, closes.
    pub fn watch(&self, parties: &[Ops], for_ms: u64) -> Within {
        self.await_all(parties.len());
        let cpu = cpu_ns();
        let begin = self.open();
        thread::sleep(Duration::from_millis(for_ms).saturating_sub(begin.elapsed()));
        let mut seen = Within::default();
        for _ in 0..20 {
            let before = ns_since(begin);
            seen.ops = parties.iter().map(Ops::get).collect();
            seen.duration_ns = ns_since(begin);
            if seen.duration_ns - before < 20_000 {
                break; // else the reader lost its core between the counts and the clock
            }
        }
        seen.cpu_ns = cpu_ns() - cpu;
        self.close();
        seen
    }
}

/// What was done between the moment the window opened and the moment the counts were read.
#[derive(Default)]
pub struct Within {
    pub ops: Vec<u64>,
    pub duration_ns: u64,
    pub cpu_ns: u64,
}

impl Within {
    pub fn sum(&self) -> u64 {
        self.ops.iter().sum()
    }
    /// The least that a party had, of the most.
    pub fn share(&self) -> f64 {
        let most = self.ops.iter().max().copied().unwrap_or(0);
        let least = self.ops.iter().min().copied().unwrap_or(0);
        if most == 0 {
            0.0
        } else {
            least as f64 / most as f64
        }
    }
    pub fn add_to(&self, line: &mut Line) {
        line.add("ops", self.sum())
            .add("duration_ns", self.duration_ns)
            .add("ops_per_s", self.sum() as f64 * 1e9 / self.duration_ns as f64)
            .add("share", self.share())
            .add("cpu_ns", self.cpu_ns);
    }
}

/// After all have ended: the plain counter that the lock guarded holds every increment.
pub fn require_sum(parties: &[Ops], counter: u64) -> Outcome<()> {
    let sum: u64 = parties.iter().map(Ops::get).sum();
    if sum != counter {
        return invalid(format!("the counter holds {counter} of {sum} increments"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The control: a run in which the lock did not hold is found.
    #[test]
    fn lost_increments_are_found() {
        let parties = [Ops::default(), Ops::default()];
        parties[0].done();
        parties[1].done();
        assert_eq!(require_sum(&parties, 2), Ok(()));
        assert!(require_sum(&parties, 1).is_err());
    }

    // The bug: every acquisition is timed, and what is measured is the clock.
    #[test]
    fn one_acquisition_in_sixteen_is_timed() {
        let mut samples = Sampler::new(1);
        let due = (0..160_000).filter(|_| samples.due()).count();
        assert!((9_000..11_000).contains(&due), "{due}");
    }
}
