//! Goal: whatever the kernel, the nodes and the person at the keyboard do, a run loses no line, ends when it should and leaves nothing
//! behind. Method: the engine under a virtual clock and a virtual kernel, driven by one seed, with a shadow model that looks on at every
//! fact and every wish; and the same world by hand for each behaviour that has a name.
//!
//! `CLSH_SIM_SEED=N` replays one seed and prints its trace, `CLSH_SIM_SEEDS=N` runs more of them.

mod asking;
mod connecting;
mod crowd;
mod deadlines;
mod endings;
mod far;
mod frames;
mod generate;
mod kernel;
mod naive;
mod oracle;
mod pipe;
mod pipeline;
mod random;
mod reaping;
mod script;
mod session;
mod shadow;
mod shared;
mod sink;
mod streams;
mod turn;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Enough for some hundred thousand turns.
const SEEDS: u64 = 2500;
/// Most failures told in one go; then the rest is not tried.
const FAILURES_MAX: usize = 10;

fn number(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{variable}={text} is no number")),
    )
}

/// Runs all seeds, or the one that was asked for, through `run`, which gives the turns and wishes of a run and panics when one breaks a
/// promise; a failure says what broke.
fn try_seeds(test: &str, seeds: u64, run: impl Fn(u64, bool) -> (u64, u64) + Sync) {
    if let Some(seed) = number("CLSH_SIM_SEED") {
        let (turns, _) = run(seed, true);
        println!("seed {seed} passes after {turns} turns");
        return;
    }
    let seeds = number("CLSH_SIM_SEEDS").unwrap_or(seeds);
    let (next, turns, wishes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let failures = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds || failures.lock().is_ok_and(|list| list.len() >= FAILURES_MAX) {
                break;
            }
            match catch_unwind(AssertUnwindSafe(|| run(seed, false))) {
                Ok((some_turns, some_wishes)) => {
                    turns.fetch_add(some_turns, Ordering::Relaxed);
                    wishes.fetch_add(some_wishes, Ordering::Relaxed);
                }
                Err(cause) => {
                    let text = cause.downcast_ref::<String>().map(String::as_str);
                    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
                    let text = text.unwrap_or("an assertion failed");
                    let again =
                        format!("CLSH_SIM_SEED={seed} cargo test --test sim {test} -- --nocapture");
                    let failure = format!("seed {seed}: {text}\n  {again}");
                    failures
                        .lock()
                        .expect("no panic while pushing")
                        .push(failure);
                }
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(work);
        }
    });
    let failures = failures.into_inner().expect("no panic while pushing");
    println!("{seeds} seeds, {turns:?} turns, {wishes:?} wishes");
    let (count, list) = (failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{count} seeds fail:\n{list}");
}

#[test]
fn any_seed_keeps_every_promise() {
    try_seeds("any_seed", SEEDS, |seed, trace| {
        let record = turn::run_traced(&generate::scenario(seed), trace);
        (record.turns, record.wishes)
    });
}
