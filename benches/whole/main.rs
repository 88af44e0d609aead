//! The whole program against a floor of its own and its neighbours: `cargo bench --bench whole`.
//!
//! Responsible for the table of ratios, the plot and the results that are kept. Every contender does the same work in turn, several
//! rounds, and what it printed is counted. The same program is also the floor and the nodes, started again with a word in front.

mod actors;
mod check;
mod contenders;
mod floor;
mod numbers;
mod plot;
mod race;
mod report;
mod rows;
mod run;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use race::Row;
use rows::{Bench, cold, curve, flood, flow, nodes, still};
use std::process::ExitCode;
use std::time::Instant;

/// The name to ask for it, and how to measure it.
type Work = (&'static str, fn(&Bench) -> Vec<Row>);

const WORK: [Work; 15] = [
    ("true", nodes::local),
    ("script", nodes::played),
    ("cold", cold::cold),
    ("seq", flow::to_a_pipe),
    ("files", flow::to_files),
    ("ten-thousand", nodes::ten_thousand),
    ("delay", still::delay),
    ("flood", flood::flood),
    ("idle", still::idle),
    ("start", still::start),
    ("size", still::size),
    ("hosts", still::names),
    ("broadcast", flow::broadcast),
    ("gather", flow::gather),
    ("live", nodes::live),
];

/// The plot's own name.
const CURVE: &str = "plot";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((first, rest)) = words.split_first() {
        let done = match first.as_str() {
            "floor" => floor::run(rest).map_err(std::io::Error::from),
            "ticks" => actors::ticks(rest),
            "lines" => actors::lines(rest),
            "names" => actors::names(rest),
            _ => return bench(&words),
        };
        // The reader may have left.
        return ExitCode::from(u8::from(done.is_err()));
    }
    bench(&words)
}

/// Descriptors for as many nodes as there may be, two for each.
fn live_max() -> usize {
    let limits = getrlimit(Resource::RLIMIT_NOFILE);
    let (_, hard) = limits.unwrap_or((1024, 1024));
    // What it was will do, too.
    let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard);
    (hard.saturating_sub(100) / 2) as usize
}

fn bench(words: &[String]) -> ExitCode {
    // `cargo test --benches` starts this without it, and wants to be told that it could.
    if !words.iter().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    let known = |word: &str| WORK.iter().any(|work| work.0 == word) || word == CURVE;
    let asked: Vec<&str> = words.iter().map(String::as_str).collect();
    let has = |word: &str| asked.contains(&word);
    let (quick, readme) = (has("quick"), has("--readme"));
    let named: Vec<&str> = asked.iter().copied().filter(|word| known(word)).collect();
    if let Some(word) = asked
        .iter()
        .find(|word| !known(word) && !["--bench", "quick", "--readme"].contains(word))
    {
        eprintln!("whole: {word} is none of quick, --readme, {CURVE} and the rows:");
        WORK.iter().for_each(|work| eprintln!("  {}", work.0));
        return ExitCode::from(2);
    }
    let load = report::load();
    let bench = Bench {
        with: contenders::Contenders::new(),
        quick,
        start: Instant::now(),
        live_max: live_max(),
    };
    let mut rows = Vec::new();
    for (name, measure) in WORK {
        if named.is_empty() || named.contains(&name) {
            let measured = measure(&bench);
            for row in &measured {
                eprintln!("{}", report::short(row));
            }
            rows.extend(measured);
        }
    }
    let mut lines = Vec::new();
    if named.is_empty() || has(CURVE) {
        lines = curve::curve(&bench);
    }
    let seconds = bench.start.elapsed().as_secs();
    let report = report::Report::new(&bench.with, &rows, load, seconds);
    println!("\n{}", report.text());
    // Part of a run is nothing to keep.
    if !quick && named.is_empty() {
        match report.keep(&lines) {
            Ok(name) => eprintln!("kept: {name}"),
            Err(error) => eprintln!("whole: the results are not kept: {error}"),
        }
        if readme && let Err(error) = report.show() {
            eprintln!("whole: {error}");
        }
    }
    let wrong: Vec<&String> = rows.iter().flat_map(|row| &row.wrong).collect();
    for wrong in &wrong {
        eprintln!("whole: wrong: {wrong}");
    }
    ExitCode::from(u8::from(!wrong.is_empty()))
}
