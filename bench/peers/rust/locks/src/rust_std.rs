//! std::sync::Mutex: a futex on Linux, with Rust's poisoning as its users have it.

use harness::{contender::Contender, threads::*};
use std::sync::Mutex;

struct Std(Mutex<u64>);

impl Lock for Std {
    fn new() -> Self {
        Std(Mutex::new(0))
    }
    #[inline]
    fn with<R>(&self, section: impl FnOnce(&mut u64) -> R) -> R {
        section(&mut self.0.lock().unwrap())
    }
}

fn main() {
    contender().main()
}

fn contender() -> Contender {
    Contender {
        name: "rust-std",
        version: env!("RUSTC_VERSION"),
        offers: vec![
            ("uncontended", "thread", uncontended::<Std>),
            ("contended", "thread", contended::<Std>),
            ("hog", "thread", hog::<Std>),
            ("burst", "thread", burst::<Std>),
        ],
    }
}

#[cfg(test)]
include!("every_workload_test.rs");
