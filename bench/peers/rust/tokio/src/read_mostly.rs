//! tokio::sync::RwLock that nobody else wants, and around a small value that many read and few write.
//!
//!     rw_uncontended kind:task iterations:N
//!     read_mostly    kind:task parties:N reads:R workers:W for_ms:T seed:S

use crate::runtime::{run, run_one, workers};
use harness::{keys::Keys, line::Line, process::ns_since, read_mostly::*, stalls::Stalls, threads::*, window::*, Outcome};
use std::{sync::Arc, time::Instant};
use tokio::{sync::RwLock, task::yield_now};

pub fn rw_uncontended(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let iterations = given.number("iterations", 3_000_000, PAIRS_OF_A_SLICE, 10_000_000_000)?;
    given.no_others()?;
    let (ns, sum) = run_one(async move {
        let value = RwLock::new(1);
        let mut ns = vec![0; (iterations / PAIRS_OF_A_SLICE) as usize];
        let mut sum = 0;
        for took in &mut ns {
            let begin = Instant::now();
            for _ in 0..PAIRS_OF_A_SLICE {
                sum += *value.read().await;
            }
            *took = ns_since(begin);
        }
        (ns, sum)
    });
    add_slices(line, ns, sum)
}

struct State {
    value: Apart<RwLock<Numbers>>,
    time: Window,
    ops: Vec<Ops>,
    asked: ReadMostly,
}

async fn read_or_write(state: Arc<State>, me: usize) -> Party {
    let State { value, time, ops, asked } = &*state;
    let mut own = Party::new(asked, me);
    time.arrive();
    while !time.is_open() {
        yield_now().await;
    }
    while !time.is_closed() {
        if own.writes_next() {
            let asked = own.asks();
            own.write(asked, &mut *value.0.write().await);
        } else {
            own.read(&*value.0.read().await);
        }
        ops[me].done();
    }
    own
}

pub fn read_mostly(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let asked = ReadMostly::read(given)?;
    let workers = workers(given)?;
    given.no_others()?;
    let machine = Stalls::measure(asked.for_ms);
    let (parties, for_ms) = (asked.parties, asked.for_ms);
    let ops = (0..parties).map(|_| Ops::default()).collect();
    let state = Arc::new(State { value: Apart::default(), time: Window::default(), ops, asked });
    let (seen, all) =
        run(parties, workers, |me| read_or_write(state.clone(), me), || state.time.watch(&state.ops, for_ms));
    let value = state.value.0.try_read().unwrap();
    add_read_mostly(line, seen, &all, &state.ops, &value, &machine)
}
