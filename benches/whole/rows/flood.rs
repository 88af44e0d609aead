//! What a node that writes without end does to the lines of all others.

use super::Bench;
use super::still::Staying;
use crate::actors::now_nanos;
use crate::contenders::{CLSH, Who};
use crate::numbers::{digits, grouped, median, spread};
use crate::race::{Lane, Row, Score, middle, race};
use crate::run::Call;
use std::cell::RefCell;
use std::io::Read;
use std::time::Instant;

/// What came out of a run.
struct Seen {
    /// Microseconds from the moment a ticker wrote a line to the moment it came.
    delays: Vec<f64>,
    /// Of everything that was printed from the first such line to the last.
    mib_per_second: f64,
}

/// Picks the tickers' lines out of everything: only in them there is an `n`. The bench has to read faster than clsh writes, or the delay
/// would be its own.
fn watch(call: &Call, count: usize) -> Result<Seen, String> {
    let mut staying = Staying::start(call)?;
    let mut out = staying.child.stdout.take().expect("a pipe");
    // What has come of a line that has not ended yet stands in front.
    let (mut buffer, mut held) = (vec![0; 128 * 1024], 0);
    let (mut delays, mut bytes) = (Vec::with_capacity(count), 0);
    let mut begin = Instant::now();
    let mut wrong = None;
    while delays.len() < count && wrong.is_none() {
        let length = out.read(&mut buffer[held..held + 64 * 1024]).unwrap_or(0);
        let now = now_nanos();
        if length == 0 {
            break;
        }
        if delays.is_empty() {
            begin = Instant::now();
        } else {
            bytes += length;
        }
        let all = held + length;
        let whole = memchr::memrchr(b'\n', &buffer[..all]).map_or(0, |last| last + 1);
        let mut at = 0;
        while let Some(label) = memchr::memchr(b'n', &buffer[at..whole]) {
            let line = &buffer[at + label..whole];
            let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
            at += label + line.len();
            match written(line) {
                Some(written) => delays.push(now.saturating_sub(written) as f64 / 1e3),
                None => wrong = Some(String::from_utf8_lossy(line).into_owned()),
            }
        }
        buffer.copy_within(whole..all, 0);
        held = all - whole;
    }
    let seconds = begin.elapsed().as_secs_f64();
    drop(out);
    staying.end();
    match wrong {
        Some(line) => Err(format!("a line: {line}")),
        None if delays.len() != count => Err(format!("{} lines of {count}", delays.len())),
        None => Ok(Seen {
            delays,
            mib_per_second: bytes as f64 / 1048576.0 / seconds,
        }),
    }
}

/// The time in a ticker's line.
fn written(line: &[u8]) -> Option<u64> {
    let (_, time) = std::str::from_utf8(line).ok()?.split_once(": ")?;
    time.parse().ok()
}

pub fn flood(bench: &Bench) -> Vec<Row> {
    let (nodes, ticks) = bench.size((1000, 5), (50, 3));
    // All are there before the first of them writes; each keeps the distance to the others that its start had.
    let (wait, every) = bench.size((3000, 1000), (1000, 200));
    let [ticks_word, wait, every] = [ticks, wait, every].map(|number: usize| number.to_string());
    let ticker = bench.with.own(&["ticks", &ticks_word, &wait, &every]);
    // Neither its label nor its text has an `n`.
    let script = format!("test %h = flood && exec yes; exec {}", ticker.join(" "));
    let call = |who: Who| {
        let (list, fanout) = match who {
            Who::Clsh => (format!("flood,n[1-{nodes}]"), nodes + 1),
            _ => (format!("n[1-{nodes}]"), nodes),
        };
        let fanout = fanout.to_string();
        let words = [
            CLSH, "-h", &list, "-R", "exec", "-f", &fanout, "sh", "-c", &script,
        ];
        let call = bench.with.call(words.map(str::to_owned).to_vec());
        call.limit_secs(60)
    };
    let all: RefCell<Vec<(Who, Seen)>> = RefCell::default();
    let lanes = [Who::Base, Who::Clsh].map(|who| {
        let (call, all) = (call(who), &all);
        bench.lane(who, 3, move || {
            let seen = watch(&call, nodes * ticks)?;
            let middle = median(&seen.delays).unwrap_or(f64::MAX);
            all.borrow_mut().push((who, seen));
            Ok(middle)
        })
    });
    let lanes: Vec<Lane> = lanes.into_iter().flatten().collect();
    let scores = race(lanes, bench.budget(40));
    let mut row = Row::new(format!(
        "a line's delay, {} live nodes that write one each {every} ms, and one more that floods, against the same without the flood",
        grouped(nodes)
    ));
    let all = all.into_inner();
    for score in &scores {
        cell(&mut row, score, &all);
    }
    if row.wrong.is_empty() {
        row.at_most("median < 5 ms", middle(&scores, Who::Clsh), 5000.0);
    }
    vec![row]
}

fn cell(row: &mut Row, score: &Score, all: &[(Who, Seen)]) {
    if let Some(error) = &score.failed {
        let text = format!("flood, {}: {error}", score.who.name());
        row.wrong.push(text);
        return row.cell(score.who, error);
    }
    let of_this = || all.iter().filter(|(who, _)| *who == score.who);
    let delays = of_this().flat_map(|(_, seen)| &seen.delays);
    let mut delays: Vec<f64> = delays.copied().collect();
    delays.sort_by(f64::total_cmp);
    let late = delays.get(delays.len() * 99 / 100).copied().unwrap_or(0.0);
    let text = format!("{}, p99 {}", spread(&score.values, "us"), digits(late));
    let speeds: Vec<f64> = of_this().map(|(_, seen)| seen.mib_per_second).collect();
    let speed = digits(median(&speeds).unwrap_or(0.0));
    let text = match score.who {
        Who::Clsh => format!("{text}, beside {speed} MiB/s of flood"),
        _ => format!("without: {text}"),
    };
    row.cell(score.who, text);
}
