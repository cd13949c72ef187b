//! Parties as tasks of a runtime of their own.

use harness::{keys::Keys, process::usable_cores, Outcome};
use std::future::Future;

/// `workers`, or as many as there are cores.
pub fn workers(given: &mut Keys) -> Outcome<usize> {
    given.count("workers", usable_cores(), 1, 1_024)
}

/// Runs party(0) .. party(parties - 1) as tasks, `meanwhile` on this OS thread, and returns what it and they returned.
pub fn run<P, R>(parties: usize, workers: usize, party: impl Fn(usize) -> P, meanwhile: impl FnOnce() -> R) -> (R, Vec<P::Output>)
where
    P: Future<Output: Send + 'static> + Send + 'static,
{
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(workers).enable_time().build().unwrap();
    let tasks: Vec<_> = (0..parties).map(|me| runtime.spawn(party(me))).collect();
    let seen = meanwhile();
    let results = runtime.block_on(async {
        let mut results = Vec::with_capacity(parties);
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    (seen, results)
}

/// One task on one worker.
pub fn run_one<P>(party: P) -> P::Output
where
    P: Future<Output: Send + 'static> + Send + 'static,
{
    let only = std::cell::Cell::new(Some(party));
    run(1, 1, |_| only.take().unwrap(), || ()).1.remove(0)
}
