//! parking_lot::Mutex: one byte, a global table of waiters, eventual fairness.

use harness::{contender::Contender, threads::*};
use parking_lot::Mutex;

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
        ],
    }
}

#[cfg(test)]
include!("every_workload_test.rs");
