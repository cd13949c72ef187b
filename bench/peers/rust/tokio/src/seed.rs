//! The seed's program: readers and writers share a map behind one mutex and sleep 1 ms between their turns. Tokio's timer
//! counts in milliseconds and rounds up, so that such a sleep takes up to two.
//!
//!     seed kind:task|task_std readers:R writers:W workers:N for_ms:T
//!
//! A section does not check that it is alone; a plain count in it must add up, and one sleep in 64 is timed.

use crate::runtime::{run, workers};
use harness::{durations::Durations, invalid, keys::Keys, line::Line, process::*, usage, window::*, Outcome};
use std::{
    collections::BTreeMap,
    future::Future,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    sync::Arc,
    thread,
    time::Duration,
    time::Instant,
};
use tokio::time::sleep;

/// What the mutex guards.
#[derive(Default)]
pub struct Guarded {
    map: BTreeMap<u64, u64>,
    sections: u64,
}

pub trait SeedLock: Send + Sync + 'static {
    fn new() -> Self;
    fn with<R: Send>(&self, section: impl FnOnce(&mut Guarded) -> R + Send) -> impl Future<Output = R> + Send;
}

impl SeedLock for tokio::sync::Mutex<Guarded> {
    fn new() -> Self {
        tokio::sync::Mutex::new(Guarded::default())
    }
    async fn with<R: Send>(&self, section: impl FnOnce(&mut Guarded) -> R + Send) -> R {
        section(&mut *self.lock().await)
    }
}

impl SeedLock for std::sync::Mutex<Guarded> {
    fn new() -> Self {
        std::sync::Mutex::new(Guarded::default())
    }
    async fn with<R: Send>(&self, section: impl FnOnce(&mut Guarded) -> R + Send) -> R {
        section(&mut self.lock().unwrap())
    }
}

const PAUSE: Duration = Duration::from_millis(1);
const KEYS: u64 = 5;
const VALUES: u64 = 100;

#[derive(Default)]
struct State<L> {
    lock: Apart<L>,
    reads: Apart<AtomicU64>,
    writes: Apart<AtomicU64>,
    time: Window,
    late: std::sync::Mutex<Durations>,
}

fn draw(random: &mut u64, below: u64) -> u64 {
    ((xorshift(random) >> 33) * below) >> 31
}

async fn party<L: SeedLock>(state: Arc<State<L>>, me: usize, reads: bool) {
    let mut random = scattered(me as u64);
    let mut total = 0;
    state.time.arrive();
    let mut turn = me;
    while !state.time.is_closed() {
        let key = draw(&mut random, KEYS);
        if reads {
            total += state.lock.0.with(|g| (g.sections += 1, g.map.get(&key).copied().unwrap_or(0)).1).await;
            state.reads.0.fetch_add(1, Relaxed);
        } else {
            let value = draw(&mut random, VALUES);
            state.lock.0.with(|g| (g.sections += 1, g.map.insert(key, value)).0).await;
            state.writes.0.fetch_add(1, Relaxed);
        }
        if turn % 64 == 0 && state.time.is_open() {
            let due = Instant::now() + PAUSE;
            sleep(PAUSE).await;
            state.late.lock().unwrap().record(ns_since(due));
        } else {
            sleep(PAUSE).await;
        }
        turn += 1;
    }
    std::hint::black_box(total);
}

/// After all have ended.
fn check(guarded: &Guarded, ops: u64) -> Outcome<()> {
    if guarded.sections != ops {
        return invalid(format!("{} sections, but {ops} operations", guarded.sections));
    }
    match guarded.map.iter().find(|(key, value)| **key >= KEYS || **value >= VALUES) {
        Some((key, value)) => invalid(format!("the map holds {key}:{value}, which nobody wrote")),
        None => Ok(()),
    }
}

pub fn seed<L: SeedLock>(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let readers = given.count("readers", 100, 0, 10_000_000)?;
    let writers = given.count("writers", 10, 0, 10_000_000)?;
    let workers = workers(given)?;
    let for_ms = given.number("for_ms", 1_000, 1, 3_600_000)?;
    given.no_others()?;
    if readers + writers == 0 {
        return usage("readers: 0 and writers: 0 leave nobody");
    }
    let state = Arc::new(State {
        lock: Apart(L::new()),
        reads: Apart::default(),
        writes: Apart::default(),
        time: Window::default(),
        late: Default::default(),
    });
    let count = || state.reads.0.load(Relaxed) + state.writes.0.load(Relaxed);
    let ((ops, duration_ns, cpu), _) = run(
        readers + writers,
        workers,
        |me| party(state.clone(), me, me < readers),
        || {
            state.time.await_all(readers + writers);
            let cpu = cpu_ns();
            let begin = state.time.open();
            let before = count();
            thread::sleep(Duration::from_millis(for_ms).saturating_sub(begin.elapsed()));
            let seen = (count() - before, ns_since(begin), cpu_ns() - cpu);
            state.time.close();
            seen
        },
    );
    let all = count();
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(state.lock.0.with(|guarded| check(guarded, all)))?;
    line.add("ops", ops)
        .add("duration_ns", duration_ns)
        .add("ops_per_s", ops as f64 * 1e9 / duration_ns as f64)
        .add("cpu_ns", cpu)
        .add("rss_peak_bytes", memory()?.peak);
    state.late.lock().unwrap().add_lateness_to(line);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    // The control: a run in which the lock did not hold is found.
    #[test]
    fn lost_sections_and_values_that_nobody_wrote_are_found() {
        let mut guarded = Guarded { map: BTreeMap::from([(4, 99)]), sections: 7 };
        assert_eq!(check(&guarded, 7), Ok(()));
        assert!(check(&guarded, 8).is_err());
        guarded.map.insert(5, 0);
        assert!(check(&guarded, 7).is_err());
    }
}
