//! Keeping a core busy for so many nanoseconds without asking a clock: reading one takes as long as the shortest sections.

use std::{hint::black_box, sync::OnceLock, time::Instant};

/// One dependent subtraction an iteration, which no core does in less than a cycle.
#[inline(never)]
fn spin_iterations(iterations: u64) {
    let mut left = iterations;
    while left != 0 {
        left -= 1;
        // SAFETY: the template is empty; the value goes through a register so that the loop cannot be left out.
        unsafe { std::arch::asm!("/* {0} */", inout(reg) left, options(nomem, nostack, preserves_flags)) };
    }
}

/// How many iterations take a nanosecond. The fastest of many tries: what is slower was interrupted.
fn iterations_per_ns() -> f64 {
    static MEASURED: OnceLock<f64> = OnceLock::new();
    *MEASURED.get_or_init(|| {
        let iterations = 20_000;
        let best = (0..200).map(|_| {
            let begin = Instant::now();
            spin_iterations(black_box(iterations));
            begin.elapsed().as_nanos()
        });
        iterations as f64 / best.min().unwrap() as f64
    })
}

/// A pause of so many nanoseconds, made once and then taken from any party.
#[derive(Clone, Copy)]
pub struct Spin(u64);

impl Spin {
    pub fn new(ns: u64) -> Spin {
        Spin((ns as f64 * iterations_per_ns() + 0.5) as u64)
    }
    #[inline]
    pub fn pass(self) {
        if self.0 != 0 {
            spin_iterations(self.0);
        }
    }
}
