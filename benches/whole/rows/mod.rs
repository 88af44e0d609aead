//! The rows of the table, each measured and checked.

pub mod cold;
pub mod curve;
pub mod flood;
pub mod flow;
pub mod nodes;
pub mod still;

use super::contenders::{Contenders, Who};
use super::race::Lane;
use super::run::Call;
use std::time::{Duration, Instant};

/// Nothing new is begun after that, but for one round of every row that is left.
const DEADLINE: Duration = Duration::from_secs(15 * 60);

pub struct Bench {
    pub with: Contenders,
    /// Everything small and once: does it run at all?
    pub quick: bool,
    pub start: Instant,
    /// So many nodes can be live at once with the descriptors there are.
    pub live_max: usize,
}

impl Bench {
    pub fn size<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    pub fn budget(&self, seconds: u64) -> Duration {
        let late = self.quick || self.start.elapsed() > DEADLINE;
        Duration::from_secs(if late { 0 } else { seconds })
    }

    /// A lane, unless that contender is not there.
    pub fn lane<'a>(
        &self,
        who: Who,
        runs: usize,
        run: impl FnMut() -> Result<f64, String> + 'a,
    ) -> Option<Lane<'a>> {
        self.with.has(who).then(|| Lane {
            who,
            runs: self.size(runs, 1),
            part: 1,
            run: Box::new(run),
        })
    }
}

/// Lines and bytes that a run has to print.
#[derive(Clone, Copy)]
pub struct Want {
    pub lines: u64,
    pub bytes: u64,
}

pub const NOTHING: Want = Want { lines: 0, bytes: 0 };

/// Runs the call; its seconds if it printed what it should.
pub fn timed(call: &Call, want: Option<Want>) -> Result<f64, String> {
    let ran = call.run()?;
    match want {
        Some(want) if (ran.lines, ran.bytes) != (want.lines, want.bytes) => Err(format!(
            "printed {} lines, {} bytes instead of {}, {}",
            ran.lines, ran.bytes, want.lines, want.bytes
        )),
        _ => Ok(ran.seconds),
    }
}
