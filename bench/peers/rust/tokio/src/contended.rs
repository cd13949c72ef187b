//! tokio::sync::Mutex that nobody else wants, and one that all want.
//!
//!     uncontended kind:task iterations:N
//!     contended   kind:task parties:N workers:W held_ns:H gap_ns:G for_ms:T seed:S
//!     hog         kind:task parties:N workers:W hog_ns:H held_ns:H gap_ns:G for_ms:T seed:S

use crate::runtime::{run, run_one, workers};
use harness::{durations::Durations, keys::Keys, line::Line, process::ns_since, stalls::Stalls, threads::*, window::*, Outcome};
use std::{sync::Arc, time::Instant};
use tokio::{sync::Mutex, task::yield_now};

pub fn uncontended(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let iterations = given.number("iterations", 3_000_000, PAIRS_OF_A_SLICE, 10_000_000_000)?;
    given.no_others()?;
    let (ns, counter) = run_one(async move {
        let counter = Mutex::new(0);
        let mut ns = vec![0; (iterations / PAIRS_OF_A_SLICE) as usize];
        for took in &mut ns {
            let begin = Instant::now();
            for _ in 0..PAIRS_OF_A_SLICE {
                *counter.lock().await += 1;
            }
            *took = ns_since(begin);
        }
        (ns, counter.into_inner())
    });
    add_slices(line, ns, counter)
}

struct State {
    counter: Apart<Mutex<u64>>,
    time: Window,
    ops: Vec<Ops>,
    asked: Contention,
}

async fn contending(state: Arc<State>, me: usize) -> Durations {
    let State { counter, time, ops, asked } = &*state;
    let (held, gap) = (asked.held_by(me), asked.gap);
    let mut waits = Durations::new();
    let mut samples = Sampler::new(asked.seed + me as u64);
    time.arrive();
    while !time.is_open() {
        yield_now().await;
    }
    while !time.is_closed() {
        let asked = samples.due().then(Instant::now);
        let mut hold = counter.0.lock().await;
        if let Some(asked) = asked {
            waits.record(ns_since(asked));
        }
        *hold += 1;
        held.pass();
        drop(hold);
        ops[me].done();
        gap.pass();
    }
    waits
}

fn contend(given: &mut Keys, line: &mut Line, hog: bool) -> Outcome<()> {
    let asked = Contention::read(given, hog)?;
    let workers = workers(given)?;
    given.no_others()?;
    let machine = Stalls::measure(asked.for_ms);
    let (parties, for_ms) = (asked.parties, asked.for_ms);
    let ops = (0..parties).map(|_| Ops::default()).collect();
    let state = Arc::new(State { counter: Apart(Mutex::new(0)), time: Window::default(), ops, asked });
    let (seen, waits) =
        run(parties, workers, |me| contending(state.clone(), me), || state.time.watch(&state.ops, for_ms));
    require_sum(&state.ops, *state.counter.0.try_lock().unwrap())?;
    add_contended(line, hog, seen, &waits, &machine);
    Ok(())
}

pub fn contended(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    contend(given, line, false)
}

pub fn hog(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    contend(given, line, true)
}
