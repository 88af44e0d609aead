//! Few nodes that print, or are given, much.

use super::{Bench, Want, timed};
use crate::check::{Numbered, labels_bytes, numbers_bytes};
use crate::contenders::Who;
use crate::numbers::{digits, grouped};
use crate::race::{Lane, Row, Target, race};
use crate::run::{Call, Input};
use std::cell::Cell;
use std::fs;
use std::io::{BufRead, BufReader, BufWriter, Write};

const NODES: u64 = 64;

/// What 64 nodes print: labelled, or passed through.
fn numbers(lines: u64, labelled: bool) -> Want {
    let plain = numbers_bytes(lines) * NODES;
    let labels = labels_bytes(NODES, lines);
    Want {
        lines: lines * NODES,
        bytes: plain + if labelled { labels } else { 0 },
    }
}

fn seq(bench: &Bench, who: Who, lines: u64) -> Call {
    let words = ["/usr/bin/seq", "1", &lines.to_string()];
    bench.with.local(who, NODES as usize, 64, &words)
}

/// A lane that gets one part in so many of the lines.
fn seq_part<'a>(bench: &Bench, who: Who, lines: u64, part: u32) -> Option<Lane<'a>> {
    let lines = lines / u64::from(part);
    let call = seq(bench, who, lines);
    let lane = bench.lane(who, 2, move || timed(&call, Some(numbers(lines, true))));
    lane.map(|lane| Lane { part, ..lane })
}

/// Every line of every node, in its order.
fn checked(call: &Call, row: &mut Row, lines: u64) {
    let mut seen = Numbered::new(NODES as usize, lines);
    let ran = call.run_seen(&mut |piece| seen.see(piece));
    if let Err(error) = ran.and_then(|_| seen.verdict()) {
        row.wrong.push(format!("{}: {error}", row.work));
    }
}

pub fn to_a_pipe(bench: &Bench) -> Vec<Row> {
    let lines = bench.size(200_000, 2_000);
    let floor = seq(bench, Who::Base, lines);
    let clsh = seq(bench, Who::Clsh, lines);
    let lanes = [
        bench.lane(Who::Base, 11, || timed(&floor, Some(numbers(lines, false)))),
        bench.lane(Who::Clsh, 11, || timed(&clsh, Some(numbers(lines, true)))),
        seq_part(bench, Who::Pdsh, lines, bench.size(5, 1)),
        seq_part(bench, Who::Clush, lines, bench.size(40, 1)),
    ];
    let scores = race(lanes.into_iter().flatten().collect(), bench.budget(40));
    let work = format!(
        "{NODES} x `seq 1 {lines}` ({} lines), labelled, to a pipe",
        grouped(lines as usize * NODES as usize)
    );
    let targets = [Target::OfBase(1.6), Target::Over(Who::Pdsh, 60.0)];
    let mut row = Row::of_scores(work, "s", &scores, &targets);
    checked(&clsh, &mut row, lines);
    vec![row]
}

pub fn to_files(bench: &Bench) -> Vec<Row> {
    let lines = bench.size(200_000, 2_000);
    let (one, two) = (bench.with.file("floor.txt"), bench.with.file("clsh.txt"));
    let directory = bench.with.file("out");
    let mut floor = seq(bench, Who::Base, lines);
    floor.file = Some(one.clone());
    let mut clsh = seq(bench, Who::Clsh, lines);
    clsh.file = Some(two.clone());
    let mut apart = seq(bench, Who::Clsh, lines);
    let out = directory.to_str().expect("UTF-8").to_owned();
    apart.words.splice(1..1, ["--out".to_owned(), out]);
    let mut rows = Vec::new();
    for (work, call) in [("the same to a file", &clsh), ("with `--out`", &apart)] {
        let labelled = call.file.is_some();
        let lanes = [
            bench.lane(Who::Base, 7, || {
                let _ = fs::remove_file(&one);
                timed(&floor, Some(numbers(lines, false)))
            }),
            bench.lane(Who::Clsh, 7, || {
                let _ = (fs::remove_file(&two), fs::remove_dir_all(&directory));
                let nothing = super::NOTHING;
                timed(
                    call,
                    Some(if labelled {
                        numbers(lines, true)
                    } else {
                        nothing
                    }),
                )
            }),
        ];
        let scores = race(lanes.into_iter().flatten().collect(), bench.budget(15));
        let mut row = Row::of_scores(work, "s", &scores, &[Target::OfBase(1.6)]);
        if labelled {
            checked(call, &mut row, lines);
        } else if let Err(error) = files_are_right(&directory, lines) {
            row.wrong.push(error);
        }
        rows.push(row);
    }
    rows
}

fn files_are_right(directory: &std::path::Path, lines: u64) -> Result<(), String> {
    for node in 1..=NODES {
        let path = directory.join(format!("n{node}.out"));
        // Line by line: the bench stays small, since its memory counts into that of what it starts.
        let file = fs::File::open(&path).map_err(|error| error.to_string())?;
        let mut seen = Numbered::new(1, lines);
        for line in BufReader::new(file).lines() {
            let line = line.map_err(|error| error.to_string())?;
            seen.see(format!("n1: {line}\n").as_bytes());
        }
        if seen.verdict().is_err() {
            return Err(format!("--out: n{node}.out is wrong"));
        }
    }
    Ok(())
}

pub fn broadcast(bench: &Bench) -> Vec<Row> {
    let mib = bench.size(64_u64, 1);
    let file = bench.with.file("input");
    let mut out = BufWriter::new(fs::File::create(&file).expect("room for a file"));
    for line in 0..mib * 1024 * 1024 / 16 {
        writeln!(out, "{line:015}").expect("room for a file");
    }
    out.flush().expect("room for a file");
    drop(out);
    let reader = " >(cat >/dev/null)".repeat(NODES as usize - 1);
    let tee = format!("tee{reader} | cat >/dev/null");
    let nodes = |shell: &str| {
        let words = ["sh", "-c", shell];
        bench.with.local(Who::Clsh, NODES as usize, 64, &words)
    };
    let mut rows = Vec::new();
    for (way, input) in [
        ("a file", Input::File(file.clone())),
        ("a pipe", Input::Pipe(file.clone())),
    ] {
        let tee = bench
            .with
            .call(["bash", "-c", &tee].map(str::to_owned).to_vec());
        let [tee, clsh, count] = [tee, nodes("cat >/dev/null"), nodes("wc -c")].map(|call| Call {
            input: input.clone(),
            ..call
        });
        let lanes = [
            bench.lane(Who::Base, 5, || timed(&tee, Some(super::NOTHING))),
            bench.lane(Who::Clsh, 5, || timed(&clsh, Some(super::NOTHING))),
        ];
        let scores = race(lanes.into_iter().flatten().collect(), bench.budget(15));
        let work = format!(
            "broadcast: {mib} MiB from {way} to {NODES} x `cat >/dev/null`, against `tee` to {NODES} processes"
        );
        let mut row = Row::of_scores(work, "s", &scores, &[]);
        let mut text = Vec::new();
        let ran = count.run_seen(&mut |piece| text.extend_from_slice(piece));
        let text = String::from_utf8_lossy(&text).into_owned();
        let whole = format!(": {}", mib * 1024 * 1024);
        let right = text.lines().filter(|line| line.ends_with(&whole)).count();
        if ran.is_err() || right as u64 != NODES {
            row.wrong
                .push(format!("broadcast: {right} nodes got it all"));
        }
        rows.push(row);
    }
    rows
}

/// Two nodes, 99 characters a line: `same` or each its own.
pub fn gather(bench: &Bench) -> Vec<Row> {
    let lines: u64 = bench.size(500_000, 20_000);
    let part = bench.size(5, 1);
    let mut rows = Vec::new();
    for (kind, seed) in [("equal", "same"), ("unequal", "%n")] {
        let call = |who: Who, lines: u64| {
            let count = lines.to_string();
            let words = bench.with.own(&["lines", &count, seed]);
            let mut call = bench.with.local(who, 2, 64, &words);
            if who != Who::Base {
                call.words.insert(1, "-b".to_owned());
            }
            call
        };
        let groups = if seed == "same" { 1 } else { 2 };
        let peaks = [Cell::new(0.0_f64), Cell::new(0.0), Cell::new(0.0)];
        let lane = |who: Who, peak: usize, part: u32, runs| {
            let (call, peak) = (call(who, lines / u64::from(part)), &peaks[peak]);
            let want = lines / u64::from(part) * if who == Who::Base { 2 } else { groups };
            // A header of three lines a group.
            let want = want + if who == Who::Base { 0 } else { 3 * groups };
            let lane = bench.lane(who, runs, move || {
                let ran = call.run()?;
                peak.set(peak.get().max(ran.peak_mib));
                let wrong = format!("printed {} lines instead of {want}", ran.lines);
                if ran.lines == want {
                    Ok(ran.seconds)
                } else {
                    Err(wrong)
                }
            });
            lane.map(|lane| Lane { part, ..lane })
        };
        let lanes = [
            lane(Who::Base, 0, 1, 5),
            lane(Who::Clsh, 1, 1, 5),
            lane(Who::Clush, 2, part, 1),
        ];
        let scores = race(lanes.into_iter().flatten().collect(), bench.budget(20));
        let work = format!(
            "gather (`-b`): 2 x {} MB of {kind} lines",
            digits(lines as f64 / 1e4)
        );
        let mut row = Row::of_scores(work, "s", &scores, &[]);
        for (who, peak) in [Who::Base, Who::Clsh, Who::Clush].into_iter().zip(&peaks) {
            let at = who as usize;
            if peak.get() > 0.0 {
                row.cells[at] = format!("{}, {} MiB", row.cells[at], digits(peak.get()));
            }
        }
        rows.push(row);
    }
    rows
}
