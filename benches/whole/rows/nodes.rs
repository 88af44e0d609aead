//! Many nodes that do little: starting them, holding them, ending them.

use super::still::all_live;
use super::{Bench, NOTHING, timed};
use crate::check::Numbered;
use crate::contenders::{HERE, Who};
use crate::numbers::{digits, grouped, spread};
use crate::race::{Row, Target, race};
use std::cell::Cell;

/// Every node's line is there once.
fn checked(bench: &Bench, row: &mut Row, count: usize, fanout: usize) {
    let call = bench.with.local(Who::Clsh, count, fanout, &["echo", "1"]);
    let mut lines = Numbered::new(count, 1);
    let ran = call.run_seen(&mut |piece| lines.see(piece));
    if let Err(error) = ran.and_then(|_| lines.verdict()) {
        row.wrong.push(format!("{}: {error}", row.work));
    }
}

pub fn local(bench: &Bench) -> Vec<Row> {
    let count = bench.size(1000, 100);
    let lanes = HERE
        .into_iter()
        .filter(|&who| who != Who::Pssh)
        .filter_map(|who| {
            let call = bench.with.local(who, count, 64, &["/bin/true"]);
            let runs = if [Who::Base, Who::Clsh].contains(&who) {
                15
            } else {
                3
            };
            bench.lane(who, runs, move || timed(&call, Some(NOTHING)))
        });
    let scores = race(lanes.collect(), bench.budget(40));
    let work = format!("{} x `/bin/true`, `-R exec -f 64`", grouped(count));
    let targets = [
        Target::OfBase(1.05),
        Target::Over(Who::Pdsh, 6.0),
        Target::Over(Who::Clush, 4.5),
    ];
    let mut row = Row::of_scores(work, "s", &scores, &targets);
    checked(bench, &mut row, count, 64);
    vec![row]
}

pub fn played(bench: &Bench) -> Vec<Row> {
    let count = bench.size(1000, 50);
    let lanes = HERE.into_iter().filter_map(|who| {
        let call = bench.with.played(who, count, 64, &["true"]);
        let want = (who != Who::Pssh).then_some(NOTHING);
        bench.lane(who, 3, move || timed(&call, want))
    });
    let scores = race(lanes.collect(), bench.budget(25));
    let work = format!(
        "{} x `true` through a shell script that plays ssh, `-f 64`",
        grouped(count)
    );
    vec![Row::of_scores(work, "s", &scores, &[])]
}

/// So many nodes at once: seconds without the sleep, and peaks of memory.
fn sleeping(bench: &Bench, who: &[Who], wished: usize, sleep: u64) -> (Vec<f64>, Row) {
    let count = wished.min(bench.live_max);
    let peaks: Vec<Cell<f64>> = who.iter().map(|_| Cell::new(0.0)).collect();
    let text = sleep.to_string();
    let lanes = who.iter().zip(&peaks).filter_map(|(&who, peak)| {
        let call = bench.with.local(who, count, count, &["/bin/sleep", &text]);
        let call = call.limit_secs(if who == Who::Pdsh { 90 } else { 200 });
        let runs = if [Who::Base, Who::Clsh].contains(&who) {
            3
        } else {
            1
        };
        bench.lane(who, runs, move || {
            let ran = call.run()?;
            if ran.bytes > 0 {
                return Err("a sleep that prints".to_owned());
            }
            peak.set(peak.get().max(ran.peak_mib));
            Ok(ran.seconds - sleep as f64)
        })
    });
    let scores = race(lanes.collect(), bench.budget(40));
    let mut work = format!(
        "{} live at once (`sleep {sleep}`), the sleep not counted",
        grouped(count)
    );
    if count < wished && !bench.quick {
        work.push_str(", more descriptors than this are not to be had");
    }
    let late = scores.iter().any(|score| {
        let mine = [Who::Base, Who::Clsh].contains(&score.who);
        mine && score.values.iter().any(|&value| value > sleep as f64)
    });
    if late {
        work.push_str(" (starting took longer than the sleep: not all at once)");
    }
    let row = Row::of_scores(work, "s", &scores, &[Target::OfBase(0.90)]);
    let peaks = peaks.into_iter().map(Cell::into_inner).collect();
    (peaks, row)
}

/// Both the times and the peaks of memory.
pub fn live(bench: &Bench) -> Vec<Row> {
    let sizes = bench.size(
        [(1000, 3, 5.0), (4000, 6, 10.0), (9900, 16, 20.0)],
        [(100, 1, 5.0), (400, 1, 10.0), (990, 2, 20.0)],
    );
    let mut rows = Vec::new();
    for (at, (count, sleep, most)) in sizes.into_iter().enumerate() {
        let who = [Who::Base, Who::Clsh, Who::Pdsh, Who::Clush];
        // clush runs out of descriptors at 4,000, and pdsh needs minutes for 9,900.
        let who = &who[..[4, 3, 2][at]];
        let (mut peaks, mut row) = sleeping(bench, who, count, sleep);
        if at == 0 {
            row.targets.clear();
        }
        let count = count.min(bench.live_max);
        let mut memory = Row::new(format!("memory, {} live", grouped(count)));
        // However long they take to start.
        match all_live(bench, count) {
            Ok(peak) => peaks[1] = peak.max(peaks[1]),
            Err(error) => memory.wrong.push(format!("{}: {error}", memory.work)),
        }
        for (&who, &peak) in who.iter().zip(&peaks) {
            let text = format!("{} MiB", digits(peak));
            memory.cell(who, if peak > 0.0 { &text } else { "" });
        }
        let clsh = peaks[1];
        memory.at_most(format!("<= {most} MiB peak"), clsh, most);
        rows.extend([row, memory]);
    }
    rows
}

pub fn ten_thousand(bench: &Bench) -> Vec<Row> {
    let (few, many) = bench.size((1000, 10_000), (50, 500));
    let lane = |who, count| {
        let call = bench.with.local(Who::Clsh, count, 256, &["/bin/true"]);
        bench.lane(who, 5, move || timed(&call, Some(NOTHING)))
    };
    let lanes = [lane(Who::Base, few), lane(Who::Clsh, many)];
    let scores = race(lanes.into_iter().flatten().collect(), bench.budget(40));
    let work = format!(
        "{} x `true`, `-f 256`, against {} of clsh's own",
        grouped(many),
        grouped(few)
    );
    let mut row = Row::of_scores(work, "s", &scores, &[Target::OfBase(10.3)]);
    let own = &scores[0];
    let text = format!("clsh {}: {}", grouped(few), spread(&own.values, "s"));
    row.cell(Who::Base, text);
    checked(bench, &mut row, many, 256);
    vec![row]
}
