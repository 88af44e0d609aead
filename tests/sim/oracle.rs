//! What has to be true once a run is over: every byte a node wrote before its end is shown once, in order, in whole lines; every node
//! has the outcome its facts give it; nothing is left behind.

use super::naive::{uncut, visible};
use super::shadow::Level;
use super::sink::Health;
use super::turn::Sim;
use clsh::engine::Source;
use clsh::limits::{
    DRAIN_GRACE, FLUSH_GRACE, FRAME_BYTES_MAX, LINE_BYTES_MAX, SHORT_LINE_BYTES,
    UNFINISHED_BYTES_MAX,
};
use clsh::outcome::{Outcome, Reason, Verdict};
use clsh::output::Stream;
use std::time::Duration;

/// What turns, stalls and the lateness of wake-ups add up to.
const SLACK: Duration = Duration::from_secs(1);
/// A line that is cut early takes more than the memory of a short one, half of which may be empty, and a frame's beginning stays back.
const PIECE_BYTES_MIN: usize = SHORT_LINE_BYTES / 2 - 2 * FRAME_BYTES_MAX;

pub fn judge(sim: &mut Sim) {
    let flushed = sim.pending() == [0, 0];
    assert!(flushed || sim.shadow.may_be_gone(), "output is left behind");
    ends_in_time(sim);
    leaves_nothing_behind(sim);
    outcomes_are_true(sim);
    for stream in Stream::BOTH {
        shows_all_once_and_in_order(sim, stream);
    }
    sim.engine.begin_turn(sim.shadow.now);
    sim.engine.on_timeout();
    assert_eq!(sim.engine.poll_effect(), None, "a wish after the end");
}

fn ends_in_time(sim: &Sim) {
    let plan = &sim.scenario.plan;
    let Some((from, _)) = sim.shadow.reason_at else {
        return;
    };
    let slowest = sim.scenario.actors.iter().map(|actor| actor.dies_after);
    let nodes = plan.kill_after + slowest.max().unwrap_or_default() + DRAIN_GRACE;
    // A reader that is only slow gets its time.
    // Time in which nothing was due counts also where clsh was stopped.
    let stopped: Duration = sim.scenario.stops.iter().map(|stop| stop.1).sum();
    let last = (from + nodes).max(sim.shadow.last_written) + stopped;
    let over = sim.shadow.now;
    assert!(
        over <= last + FLUSH_GRACE + SLACK,
        "ends at {over:?}, not {last:?}"
    );
}

fn leaves_nothing_behind(sim: &mut Sim) {
    assert_eq!(sim.kernel.unreaped(), 0, "children are left");
    assert!(!sim.engine.holds_back(), "books of the reaped");
    for (rank, node) in sim.shadow.nodes.iter().enumerate() {
        let started = sim.kernel.was_started(rank);
        assert_eq!(node.spawned.is_some(), started);
        assert_eq!(node.hung_up, started, "the lifeline of n{rank}");
        let closed = node.halves.iter().all(|half| half.closed);
        assert_eq!(closed, started, "descriptors of n{rank}");
    }
}

fn outcomes_are_true(sim: &Sim) {
    let outcomes: Vec<(usize, Outcome)> = sim.engine.outcomes().collect();
    assert_eq!(outcomes.len(), sim.shadow.nodes.len());
    for (&(rank, outcome), node) in outcomes.iter().zip(&sim.shadow.nodes) {
        let possible = sim.shadow.outcomes(node);
        assert!(
            possible.contains(&outcome),
            "n{rank} is {outcome:?}, not {possible:?}"
        );
        let ran = outcome != Outcome::NotStarted;
        assert!(ran || sim.shadow.reason.is_some(), "n{rank} was forgotten");
    }
    let all = outcomes.iter().map(|&(_, outcome)| outcome);
    let verdict = Verdict::of(all.clone(), sim.engine.reason());
    let expected = match sim.shadow.reason {
        None | Some(Reason::FailFast) => {
            Verdict::Status(all.map(Outcome::status).max().unwrap_or(0))
        }
        Some(Reason::Signal(signal)) => Verdict::Signal(signal),
        Some(Reason::OutputClosed) => Verdict::Signal(13),
        Some(Reason::OutputFailed | Reason::InputFailed | Reason::NodeLost) => Verdict::Status(255),
        Some(Reason::Left(_)) => unreachable!("a one-shot run is not left"),
    };
    assert_eq!(verdict, expected);
}

/// The lines one stream of one node has to show, and how many were found.
struct Expected {
    rank: usize,
    label: Vec<u8>,
    lines: Vec<Vec<u8>>,
    found: usize,
    /// Where the budget of unfinished lines may be spent: lines come in pieces, and so much of the next one was found.
    pieces: bool,
    begun: usize,
}

fn shows_all_once_and_in_order(sim: &mut Sim, sink: Stream) {
    let sinks = sim.scenario.plan.sinks;
    let streams: &[Stream] = match (sinks.merged, sink) {
        (true, Stream::Out) => &Stream::BOTH,
        (true, Stream::Err) => &[],
        (false, Stream::Out) => &[Stream::Out],
        (false, Stream::Err) => &[Stream::Err],
    };
    let mut expected = Vec::new();
    for (rank, &stream) in (0..sim.shadow.nodes.len())
        .flat_map(|rank| streams.iter().map(move |stream| (rank, stream)))
    {
        if sim.kernel.was_started(rank) {
            let lines = expected_lines(sim, rank, stream);
            let label = if sinks.label {
                format!("n{rank}: ")
            } else {
                String::new()
            };
            expected.push(Expected {
                rank,
                label: label.into_bytes(),
                lines,
                found: 0,
                pieces: may_cut(sim),
                begun: 0,
            });
        }
    }
    let well = |stream: Stream| sim.kernel.sinks[stream as usize].health == Health::Well;
    // A sink that went may lack an end, and so may all when the run was given up; without a reader of stdout stderr falls silent.
    let cut = !well(sink)
        || !well(Stream::Out)
        || sim.pending() != [0, 0]
        || sim.shadow.level == Level::Gone;
    let shown = &sim.kernel.sinks[sink as usize].collected;
    let mut lines: Vec<&[u8]> = shown.split(|&byte| byte == b'\n').collect();
    let last = lines.pop().unwrap_or_default();
    assert!(last.is_empty() || cut, "an unfinished line is left");
    let mut words = Vec::new();
    for line in lines {
        if line.starts_with(b"clsh: ") || line.starts_with(b"ERROR: ") {
            words.push(String::from_utf8_lossy(line).into_owned());
        } else {
            attribute(line, &mut expected);
        }
    }
    for stream in &expected {
        let missing = stream.lines.len() - stream.found;
        assert!(
            missing == 0 || cut,
            "n{} {streams:?}: {missing} lines are missing",
            stream.rank
        );
    }
    if streams.contains(&Stream::Err) && !cut {
        words_are_true(sim, &words);
    }
}

/// What was delivered, for it must be all that was written before the node ended.
fn expected_lines(sim: &mut Sim, rank: usize, stream: Stream) -> Vec<Vec<u8>> {
    let source = Source {
        node: rank as u32,
        stream,
    };
    let pipe = sim.kernel.pipe(source);
    let (read, before_death) = (pipe.delivered(), pipe.before_death.unwrap_or(0));
    let delivered = &sim.shadow.nodes[rank].halves[stream as usize].delivered;
    assert_eq!(delivered, &pipe.written[..read]);
    assert!(
        read >= before_death || sim.shadow.may_be_gone(),
        "n{rank}: read {read} of {before_death} bytes written before it ended"
    );
    match may_cut(sim) {
        true => uncut(delivered, sim.shadow.nonce()),
        false => visible(delivered, sim.shadow.nonce()),
    }
}

/// Whether lines may be cut before they are too long by themselves.
fn may_cut(sim: &Sim) -> bool {
    sim.scenario.plan.unfinished_max < UNFINISHED_BYTES_MAX
}

/// Finds the stream whose next line this is. Lines are unlike each other, so it can only be one.
fn attribute(line: &[u8], expected: &mut [Expected]) {
    let mut candidates = expected.iter_mut().filter_map(|stream| {
        let text = line.strip_prefix(&stream.label[..])?;
        let next = stream.lines.get(stream.found)?.get(stream.begun..)?;
        // No piece is shorter than it has to be, but the last one.
        let piece = stream.pieces
            && next.starts_with(text)
            && (PIECE_BYTES_MIN..=LINE_BYTES_MAX).contains(&text.len());
        let left = next.len() - text.len().min(next.len());
        (next == text || piece).then_some((stream, left))
    });
    let Some((stream, left)) = candidates.next() else {
        let text = line[..line.len().min(100)].escape_ascii();
        panic!("nobody's next line, of {} bytes: {text}", line.len());
    };
    if left > 0 {
        stream.begun = stream.lines[stream.found].len() - left;
    } else {
        stream.found += 1;
        stream.begun = 0;
    }
}

/// clsh's own words: each node that needs it is told of once.
fn words_are_true(sim: &Sim, words: &[String]) {
    let count = |start: &str, end: &str| {
        let meant = |word: &&String| word.starts_with(start) && word.ends_with(end);
        words.iter().filter(meant).count()
    };
    for (rank, outcome) in sim.engine.outcomes() {
        let said = count(&format!("ERROR: n{rank} connection "), "");
        let expected = matches!(outcome, Outcome::Failed | Outcome::Lost);
        assert_eq!(said, usize::from(expected), "words about n{rank}");
        let how = match outcome {
            Outcome::Lost => "connection lost",
            _ => "connection failed",
        };
        assert_eq!(count(&format!("ERROR: n{rank} {how}"), ""), said);
        let node = &sim.shadow.nodes[rank];
        if sim.scenario.plan.verbose && node.reaped.is_some() {
            let ended = words
                .iter()
                .filter(|word| word.starts_with(&format!("clsh: n{rank}: ")))
                .filter(|word| word.contains(" after "));
            assert_eq!(ended.count(), 1, "the end of n{rank}");
        }
        let long = count(&format!("clsh: n{rank}: a line is longer"), "");
        assert!(long <= usize::from(sim.scenario.plan.warn));
    }
    assert_eq!(count("clsh: the summary", ""), 1);
}
