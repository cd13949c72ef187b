//! How late a 1 ms sleep ends, what many timers cost, and what a sleeping task takes in memory.
//!
//!     sleep     kind:task samples:N                      one sleeper; fails if any sleep ended early
//!     timer     kind:task tasks:N workers:W for_ms:T     tasks that sleep 10 to 50 ms again and again: CPU ns a timer
//!     footprint kind:task tasks:N                        resident bytes of one, and page tables

use crate::runtime::{run, run_one, workers};
use harness::{durations::Durations, invalid, keys::Keys, line::Line, process::*, stalls::Stalls, window::*, Outcome};
use std::{
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
    time::Instant,
};
use tokio::time::sleep;

pub fn sleeping(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let samples = given.count("samples", 1_000, 1, 10_000_000)?;
    given.no_others()?;
    let machine = Stalls::measure(samples as u64);
    let cpu = cpu_ns();
    let (late, duration_ns) = run_one(async move {
        let nap = Duration::from_millis(1);
        let begin = Instant::now();
        let mut late = Durations::new();
        for _ in 0..samples {
            let asleep = Instant::now();
            sleep(nap).await;
            match asleep.elapsed().checked_sub(nap) {
                Some(by) => late.record(by.as_nanos() as u64),
                None => return (Err("a sleep ended early"), 0),
            }
        }
        (Ok(late), ns_since(begin))
    });
    let late = late.or_else(invalid)?;
    line.add("p50_ns", late.quantile(0.5))
        .add("p99_ns", late.quantile(0.99))
        .add("max_ns", late.longest())
        .add("cpu_ns", cpu_ns() - cpu)
        .add("duration_ns", duration_ns)
        .add("samples", samples);
    machine.add_to(line);
    Ok(())
}

#[derive(Default)]
struct Naps {
    time: Window,
    fired: Vec<Fired>,
    late: Mutex<Durations>,
}

/// Of one task; only it writes. Not on a line of its own: there are a hundred thousand.
#[derive(Default)]
struct Fired(AtomicUsize);

async fn napper(state: Arc<Naps>, me: usize) {
    let mut random = scattered(me as u64);
    state.time.arrive();
    while !state.time.is_closed() {
        let nap = Duration::from_nanos(10_000_000 + xorshift(&mut random) % 40_000_000);
        let due = (random >> 58 == 0 && state.time.is_open()).then(|| Instant::now() + nap);
        sleep(nap).await;
        let own = &state.fired[me].0;
        own.store(own.load(Relaxed) + 1, Relaxed);
        if let Some(due) = due {
            state.late.lock().unwrap().record(ns_since(due));
        }
    }
}

pub fn timing(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let tasks = given.count("tasks", 100_000, 1, 10_000_000)?;
    let workers = workers(given)?;
    let for_ms = given.number("for_ms", 500, 1, 3_600_000)?;
    given.no_others()?;
    let state = Arc::new(Naps { fired: (0..tasks).map(|_| Fired::default()).collect(), ..Naps::default() });
    let sum = || state.fired.iter().map(|each| each.0.load(Relaxed)).sum::<usize>();
    let ((ops, cpu, duration_ns), _) = run(tasks, workers, |me| napper(state.clone(), me), || {
        state.time.await_all(tasks);
        let (begin, before, cpu) = (state.time.open(), sum(), cpu_ns());
        thread::sleep(Duration::from_millis(for_ms));
        let cpu = cpu_ns() - cpu;
        let duration_ns = ns_since(begin);
        let ops = sum() - before;
        state.time.close();
        (ops, cpu, duration_ns)
    });
    if ops == 0 {
        return invalid("no timer fired in the time");
    }
    line.add("ns", cpu as f64 / ops as f64).add("ops", ops).add("cpu_ns", cpu).add("duration_ns", duration_ns);
    state.late.lock().unwrap().add_lateness_to(line);
    Ok(())
}

/// RSS once all are asleep, minus RSS before there was a runtime, divided by their number.
pub fn footprint(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let tasks = given.count("tasks", 1_000_000, 1_000, 100_000_000)?;
    given.no_others()?;
    let before = memory()?;
    let begin = Instant::now();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_time().build().unwrap();
    let started = Arc::new(AtomicUsize::new(0));
    for _ in 0..tasks {
        let started = started.clone();
        runtime.spawn(async move {
            started.fetch_add(1, Relaxed);
            drop(started);
            sleep(Duration::from_secs(3_600)).await;
        });
    }
    while started.load(Relaxed) < tasks {
        thread::sleep(Duration::from_millis(1));
    }
    let start_ns = ns_since(begin);
    settle()?;
    let after = memory()?;
    let per_task = |bytes: u64, less: u64| (bytes as f64 - less as f64) / tasks as f64;
    line.add("bytes_per_task", per_task(after.resident, before.resident))
        .add("page_table_bytes_per_task", per_task(after.page_tables, before.page_tables))
        .add("rss_bytes", after.resident)
        .add("start_ns", start_ns);
    runtime.shutdown_background();
    Ok(())
}
