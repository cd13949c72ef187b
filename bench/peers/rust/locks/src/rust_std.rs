//! std::sync::Mutex and RwLock: a futex on Linux, with Rust's poisoning as its users have it.

use harness::{contender::Contender, read_mostly::*, threads::*};
use std::sync::{Mutex, RwLock};

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

struct Shared(RwLock<Numbers>);

impl SharedLock for Shared {
    fn new(value: Numbers) -> Self {
        Shared(RwLock::new(value))
    }
    #[inline]
    fn read<R>(&self, section: impl FnOnce(&Numbers) -> R) -> R {
        section(&self.0.read().unwrap())
    }
    #[inline]
    fn write<R>(&self, section: impl FnOnce(&mut Numbers) -> R) -> R {
        section(&mut self.0.write().unwrap())
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
            ("rw_uncontended", "thread", rw_uncontended::<Shared>),
            ("read_mostly", "thread", read_mostly::<Shared>),
        ],
    }
}

#[cfg(test)]
include!("every_workload_test.rs");
