//! How long this machine takes a core away from a thread that wants nothing but to run. Stands beside every wait.

use crate::{durations::Durations, line::Line, process::usable_cores};
use std::{thread, time::Duration, time::Instant};

pub struct Stalls(Durations);

impl Stalls {
    /// One spinning thread on each usable core reads the clock, just before the run, for a quarter of its time but no less
    /// than 20 ms. Weighted by time, as in bench/harness/stall.hpp.
    pub fn measure(run_ms: u64) -> Stalls {
        let time = Duration::from_millis((run_ms / 4).clamp(20, 500));
        let threads: Vec<_> = (0..usable_cores())
            .map(|_| {
                thread::spawn(move || {
                    let mut own = Durations::new();
                    let begin = Instant::now();
                    let mut last = begin;
                    while last - begin < time {
                        let now = Instant::now();
                        let gap = (now - last).as_nanos() as u64;
                        own.record_weighted(gap, gap);
                        last = now;
                    }
                    own
                })
            })
            .collect();
        let mut all = Durations::new();
        for t in threads {
            all.add(&t.join().unwrap());
        }
        Stalls(all)
    }

    pub fn add_to(&self, line: &mut Line) {
        line.add("stall_p999_ns", self.0.quantile(0.999)).add("stall_max_ns", self.0.longest());
    }
}
