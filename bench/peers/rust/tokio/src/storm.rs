//! tokio::time::timeout around the lock of a tokio::sync::Mutex: where nobody else wants it, and where thousands wait in vain.
//!
//!     try_for       kind:task iterations:N
//!     timeout_storm kind:task parties:N workers:W deadline_ms:D gap_ns:G for_ms:T
//!
//! As in bench/workload/try_for.hpp and timeout_storm.hpp. The holder is a thread outside the runtime.

use crate::runtime::{run, run_one, workers};
use harness::{
    durations::Durations, invalid, keys::Keys, line::Line, process::cpu_ns, process::ns_since, spin::Spin, threads::*, window::*,
    Outcome,
};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Mutex, time::timeout};

pub fn try_for(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let iterations = given.number("iterations", 3_000_000, 2 * PAIRS_OF_A_SLICE, 10_000_000_000)?;
    given.no_others()?;
    let slices = (iterations / PAIRS_OF_A_SLICE / 2) as usize;
    let (mut lock, tried, counter) = run_one(async move {
        let counter = Mutex::new(0);
        let (mut lock, mut tried) = (vec![0; slices], vec![0; slices]);
        for (lock, tried) in lock.iter_mut().zip(&mut tried) {
            let begin = Instant::now();
            for _ in 0..PAIRS_OF_A_SLICE {
                *counter.lock().await += 1;
            }
            *lock = ns_since(begin);
            let begin = Instant::now();
            for _ in 0..PAIRS_OF_A_SLICE {
                if let Ok(mut hold) = timeout(Duration::from_secs(10), counter.lock()).await {
                    *hold += 1;
                }
            }
            *tried = ns_since(begin);
        }
        (lock, tried, counter.into_inner())
    });
    let median = |ns: &mut Vec<u64>| {
        ns.sort_unstable();
        ns[ns.len() / 2] as f64
    };
    let (lock_ns, try_ns) = (median(&mut lock), median(&mut tried.clone()));
    add_slices(line, tried, counter - slices as u64 * PAIRS_OF_A_SLICE)?;
    line.add("lock_ns", lock_ns / PAIRS_OF_A_SLICE as f64).add("lock_ratio", try_ns / lock_ns);
    Ok(())
}

struct State {
    wanted: Apart<Mutex<u64>>,
    small: Apart<Mutex<u64>>, // the holder's
    time: Window,
    deadline: Duration,
    ops: Vec<Ops>, // who gave up how often
    got: AtomicU64,
    early: AtomicU64,
}

async fn try_in_vain(state: Arc<State>, me: usize) -> Vec<u64> {
    let mut lateness = Vec::new();
    let mut samples = Sampler::new(me as u64);
    state.time.arrive();
    while !state.time.is_closed() {
        let begin = Instant::now();
        match timeout(state.deadline, state.wanted.0.lock()).await {
            Ok(mut hold) => {
                *hold += 1;
                state.got.fetch_add(u64::from(!state.time.is_closed()), Relaxed);
            }
            Err(_) => {
                let took = begin.elapsed();
                state.early.fetch_add(u64::from(took < state.deadline), Relaxed);
                state.ops[me].done();
                if samples.due() && state.time.is_open() {
                    lateness.push(took.saturating_sub(state.deadline).as_nanos() as u64);
                }
            }
        }
    }
    lateness
}

const IN_A_ROW: u64 = 16;

fn hold_small(small: &Mutex<u64>, gap: Spin, for_ms: u64, took: &mut Durations) {
    let begin = Instant::now();
    while ns_since(begin) < for_ms * 1_000_000 {
        let start = Instant::now();
        for _ in 0..IN_A_ROW {
            *small.blocking_lock() += 1;
        }
        took.record(ns_since(start));
        gap.pass();
    }
}

pub fn timeout_storm(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let parties = given.count("parties", 10_000, 1, 100_000)?;
    let deadline_ms = given.number("deadline_ms", 10, 1, 10_000)?;
    let gap = Spin::new(given.number("gap_ns", 1_000, 0, 1_000_000_000)?);
    let for_ms = given.number("for_ms", 300, 1, 3_600_000)?;
    let workers = if given.word("workers", "").is_empty() { 1 } else { workers(given)? };
    given.no_others()?;
    let state = Arc::new(State {
        wanted: Apart::default(),
        small: Apart::default(),
        time: Window::default(),
        deadline: Duration::from_millis(deadline_ms),
        ops: (0..parties).map(|_| Ops::default()).collect(),
        got: AtomicU64::new(0),
        early: AtomicU64::new(0),
    });
    let (mut calm, mut storm) = (Durations::new(), Durations::new());
    hold_small(&state.small.0, gap, for_ms / 2, &mut calm);
    let sum = || state.ops.iter().map(Ops::get).sum::<u64>();
    let hold = state.wanted.0.blocking_lock();
    let ((expired, duration, cpu, last_unlock), lateness) = run(
        parties,
        workers,
        |me| try_in_vain(state.clone(), me),
        || {
            state.time.await_all(parties);
            let (before, cpu, begin) = (sum(), cpu_ns(), state.time.open());
            hold_small(&state.small.0, gap, for_ms, &mut storm);
            let seen = (sum() - before, ns_since(begin), cpu_ns() - cpu);
            state.time.close();
            let unlocks = Instant::now();
            drop(hold);
            (seen.0, seen.1, seen.2, ns_since(unlocks))
        },
    );
    hold_small(&state.small.0, gap, for_ms - for_ms / 2, &mut calm);

    let (got, early) = (state.got.load(Relaxed), state.early.load(Relaxed));
    if got != 0 || early != 0 {
        return invalid(format!("{got} got a lock that was held, {early} gave up before their deadline"));
    }
    if *state.small.0.blocking_lock() != (calm.total() + storm.total()) * IN_A_ROW {
        return invalid("the counter does not add up");
    }
    if expired == 0 {
        return invalid("nobody gave up in the time");
    }
    let one = |of: &Durations, share: f64| of.quantile(share) as f64 / IN_A_ROW as f64;
    line.add("p99_ratio", one(&storm, 0.99) / one(&calm, 0.99))
        .add("p50_ns", one(&storm, 0.5))
        .add("p99_ns", one(&storm, 0.99))
        .add("max_ns", storm.longest())
        .add("calm_p50_ns", one(&calm, 0.5))
        .add("calm_p99_ns", one(&calm, 0.99))
        .add("calm_max_ns", calm.longest())
        .add("last_unlock_ns", last_unlock)
        .add("ops", expired)
        .add("duration_ns", duration)
        .add("ops_per_s", expired as f64 * 1e9 / duration as f64)
        .add("cpu_ns", cpu);
    let mut late = Durations::new();
    lateness.iter().flatten().for_each(|ns| late.record(*ns));
    late.add_lateness_to(line);
    Ok(())
}
