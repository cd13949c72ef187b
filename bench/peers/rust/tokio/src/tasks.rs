//! What it takes to go on with another task, and to start and join one.
//!
//!     switch kind:task parties:N for_ms:T               ns from one yield to the next task's, on one worker
//!     spawn  kind:task batch:N workers:W for_ms:T       ns for spawn and join, in batches, from within a task

use crate::runtime::run;
use harness::{invalid, keys::Keys, line::Line, process::cpu_ns, process::ns_since, window::*, Outcome};
use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    sync::Arc,
    time::Instant,
};
use tokio::task::yield_now;

pub fn switching(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let parties = given.count("parties", 2, 2, 10_000)?;
    let for_ms = given.number("for_ms", 300, 1, 3_600_000)?;
    given.no_others()?;
    let state = Arc::new((Window::default(), (0..parties).map(|_| Ops::default()).collect::<Vec<_>>()));
    let party = |me: usize| {
        let state = state.clone();
        async move {
            state.0.arrive();
            while !state.0.is_closed() {
                yield_now().await;
                state.1[me].done();
            }
        }
    };
    let (seen, _) = run(parties, 1, party, || state.0.watch(&state.1, for_ms));
    if seen.sum() == 0 {
        return invalid("nobody had a turn in the time");
    }
    line.add("ns", seen.duration_ns as f64 / seen.sum() as f64)
        .add("ops", seen.sum())
        .add("share", seen.share())
        .add("duration_ns", seen.duration_ns)
        .add("cpu_ns", seen.cpu_ns);
    Ok(())
}

async fn batches(batch: usize, for_ms: u64, ran: Arc<AtomicU64>) -> (Vec<f64>, u64) {
    let mut ns = Vec::new();
    let mut done = 0;
    let begin = Instant::now();
    let mut handles = Vec::with_capacity(batch);
    while ns_since(begin) < for_ms * 1_000_000 || ns.is_empty() {
        let start = Instant::now();
        for _ in 0..batch {
            let ran = ran.clone();
            handles.push(tokio::spawn(async move { ran.fetch_add(1, Relaxed) }));
        }
        for handle in handles.drain(..) {
            handle.await.unwrap();
        }
        if done != 0 {
            ns.push(ns_since(start) as f64 / batch as f64);
        }
        done += 1;
    }
    (ns, done)
}

pub fn spawning(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let batch = given.count("batch", 1_000, 1, 1_000_000)?;
    let workers = given.count("workers", 1, 1, 1_024)?;
    let for_ms = given.number("for_ms", 300, 1, 3_600_000)?;
    given.no_others()?;
    let ran = Arc::new(AtomicU64::new(0));
    let cpu = cpu_ns();
    let (_, mut results) = run(1, workers, |_| batches(batch, for_ms, ran.clone()), || ());
    let (mut ns, done) = results.remove(0);
    let ops = ran.load(Relaxed);
    if ops != done * batch as u64 {
        return invalid(format!("{ops} tasks ran of {}", done * batch as u64));
    }
    ns.sort_unstable_by(f64::total_cmp);
    line.add("ns", ns[ns.len() / 2]).add("ops", ops).add("cpu_ns", cpu_ns() - cpu);
    Ok(())
}
