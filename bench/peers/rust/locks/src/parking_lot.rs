//! parking_lot::Mutex and RwLock: one byte, a global table of waiters, eventual fairness.

use harness::{contender::Contender, read_mostly::*, threads::*};
use parking_lot::{Mutex, RwLock};

struct ParkingLot(Mutex<u64>);

impl Lock for ParkingLot {
    fn new() -> Self {
        ParkingLot(Mutex::new(0))
    }
    #[inline]
    fn with<R>(&self, section: impl FnOnce(&mut u64) -> R) -> R {
        section(&mut self.0.lock())
    }
}

struct Shared(RwLock<Numbers>);

impl SharedLock for Shared {
    fn new(value: Numbers) -> Self {
        Shared(RwLock::new(value))
    }
    #[inline]
    fn read<R>(&self, section: impl FnOnce(&Numbers) -> R) -> R {
        section(&self.0.read())
    }
    #[inline]
    fn write<R>(&self, section: impl FnOnce(&mut Numbers) -> R) -> R {
        section(&mut self.0.write())
    }
}

fn main() {
    contender().main()
}

fn contender() -> Contender {
    Contender {
        name: "parking_lot",
        version: env!("PARKING_LOT_VERSION"),
        offers: vec![
            ("uncontended", "thread", uncontended::<ParkingLot>),
            ("contended", "thread", contended::<ParkingLot>),
            ("hog", "thread", hog::<ParkingLot>),
            ("burst", "thread", burst::<ParkingLot>),
            ("rw_uncontended", "thread", rw_uncontended::<Shared>),
            ("read_mostly", "thread", read_mostly::<Shared>),
        ],
    }
}

#[cfg(test)]
include!("every_workload_test.rs");
