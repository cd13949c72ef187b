//! Many wait, each until its own number is due: a watch channel, of which each change wakes all.
//!
//!     condition kind:task waiters:N random:0|1 workers:W for_ms:T
//!
//! The one whose number is due counts, names the number that is due next, and waits again: in turn, or at random.

use crate::runtime::{run, workers};
use harness::{
    invalid, keys::Keys, line::Line, process::cpu_ns, process::ns_since, window::require_sum, window::scattered, window::xorshift,
    window::Ops, window::Window, Outcome,
};
use std::{sync::Arc, thread, time::Duration, time::Instant};
use tokio::sync::watch;

struct Board {
    due: usize,
    over: bool,
    updates: u64,
    random: Option<u64>, // the state of a generator; none: in turn
}

struct State {
    board: watch::Sender<Board>,
    time: Window,
    ops: Vec<Ops>,
}

impl State {
    /// False: all is over.
    fn turn(&self, board: &mut Board, me: usize) -> bool {
        if board.over {
            return false;
        }
        self.ops[me].done();
        board.updates += 1;
        board.over = self.time.is_closed();
        let drawn = board.random.as_mut().map(|state| (xorshift(state) % self.ops.len() as u64) as usize);
        board.due = drawn.filter(|n| *n != me).unwrap_or((me + 1) % self.ops.len());
        !board.over
    }
}

async fn wait_in_turns(state: Arc<State>, me: usize) {
    let mut changes = state.board.subscribe();
    state.time.arrive();
    let mut goes_on = true;
    while goes_on {
        drop(changes.wait_for(|board| board.due == me || board.over).await.unwrap());
        state.board.send_modify(|board| goes_on = state.turn(board, me));
    }
}

pub fn condition(given: &mut Keys, line: &mut Line) -> Outcome<()> {
    let waiters = given.count("waiters", 1_000, 2, 100_000)?;
    let random = given.number("random", 0, 0, 1)? != 0;
    let for_ms = given.number("for_ms", 500, 1, 3_600_000)?;
    let workers = workers(given)?;
    given.no_others()?;
    let board = Board { due: usize::MAX, over: false, updates: 0, random: random.then(|| scattered(1)) };
    let ops = (0..waiters).map(|_| Ops::default()).collect();
    let state = Arc::new(State { board: watch::Sender::new(board), time: Window::default(), ops });
    let sum = || state.ops.iter().map(Ops::get).sum::<u64>();
    let ((updates, duration, cpu), _) = run(
        waiters,
        workers,
        |me| wait_in_turns(state.clone(), me),
        || {
            state.time.await_all(waiters);
            thread::sleep(Duration::from_millis(20)); // they wait
            state.board.send_modify(|board| board.due = 0);
            thread::sleep(Duration::from_millis(20)); // a lap or so
            let (before, begin, cpu) = (sum(), Instant::now(), cpu_ns());
            thread::sleep(Duration::from_millis(for_ms));
            let seen = (sum() - before, ns_since(begin), cpu_ns() - cpu);
            state.time.close();
            seen
        },
    );
    require_sum(&state.ops, state.board.borrow().updates)?;
    if updates == 0 {
        return invalid("nobody had a turn in the time");
    }
    line.add("ops", updates)
        .add("duration_ns", duration)
        .add("ops_per_s", updates as f64 * 1e9 / duration as f64)
        .add("cpu_ns", cpu);
    Ok(())
}
