//! All tasks arrive at once, again and again; a round lasts until the last of them had the mutex. Tasks yield until the barrier
//! opens, as fibers do. The first round is not counted.
//!
//!     burst kind:task parties:N workers:W held_ns:H for_ms:T

use crate::runtime::{run, workers};
use harness::{
    durations::Durations, invalid, keys::Keys, line::Line, process::cpu_ns, process::ns_since, spin::Spin, stalls::Stalls,
    window::Apart, Outcome,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::*},
    sync::Arc,
    time::Instant,
};
use tokio::{sync::Mutex, task::yield_now};

struct State {
    counter: Apart<Mutex<Counted>>,
    round: Apart<AtomicU64>, // odd: it is over
    arrived: Apart<AtomicU64>,
    opened_ns: Apart<AtomicU64>,
    parties: u64,
    begin: Instant,
    for_ns: u64,
    held: Spin,
}

struct Counted {
    ops: u64,
    rounds: Durations,
}

impl State {
    fn arrive(&self, round: u64) {
        if self.arrived.0.fetch_add(1, AcqRel) + 1 != self.parties {
            return;
        }
        self.arrived.0.store(0, Relaxed);
        let now = ns_since(self.begin);
        self.opened_ns.0.store(now, Relaxed);
        // Two rounds at least: the first is not counted.
        let over = round >= 4 && now >= self.for_ns;
        self.round.0.fetch_add(if over { 1 } else { 2 }, AcqRel);
    }
}

async fn party(state: Arc<State>) {
    loop {
        let round = state.round.0.load(Acquire);
        state.arrive(round);
        while state.round.0.load(Acquire) == round {
            yield_now().await;
        }
        if state.round.0.load(Relaxed) % 2 != 0 {
            return;
        }
        let mut hold = state.counter.0.lock().await;
        state.held.pass();
        hold.ops += 1;
        if hold.ops % state.parties == 0 && hold.ops != state.parties {
            hold.rounds.record(ns_since(state.begin) - state.opened_ns.0.load(Relaxed));
        }
    }
}

pub fn burst(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let parties = given.count("parties", 8, 1, 10_000)?;
    let held = Spin::new(given.number("held_ns", 20, 0, 1_000_000_000)?);
    let for_ms = given.number("for_ms", 500, 1, 3_600_000)?;
    let workers = workers(given)?;
    given.no_others()?;
    let machine = Stalls::measure(for_ms);
    let cpu = cpu_ns();
    let state = Arc::new(State {
        counter: Apart(Mutex::new(Counted { ops: 0, rounds: Durations::new() })),
        round: Apart::default(),
        arrived: Apart::default(),
        opened_ns: Apart::default(),
        parties: parties as u64,
        begin: Instant::now(),
        for_ns: for_ms * 1_000_000,
        held,
    });
    run(parties, workers, |_| party(state.clone()), || ());
    let counted = state.counter.0.try_lock().unwrap();
    if counted.ops != (counted.rounds.total() + 1) * state.parties {
        return invalid("the counter does not add up");
    }
    line.add("ns", counted.rounds.quantile(0.5))
        .add("p99_ns", counted.rounds.quantile(0.99))
        .add("max_ns", counted.rounds.longest())
        .add("ops", counted.ops)
        .add("rounds", counted.rounds.total())
        .add("cpu_ns", cpu_ns() - cpu);
    machine.add_to(line);
    Ok(())
}
