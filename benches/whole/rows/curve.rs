//! Time against the number of nodes, for the plot.

use super::{Bench, NOTHING, timed};
use crate::contenders::{HERE, Who};
use crate::numbers::median;
use crate::plot::Line;
use crate::race::race;

pub fn curve(bench: &Bench) -> Vec<Line> {
    let counts = bench.size(vec![10, 100, 1000, 10_000], vec![10, 100]);
    let mut lines: Vec<(Who, Line)> = HERE
        .into_iter()
        .filter(|&who| bench.with.has(who))
        .map(|who| {
            let name = match who {
                Who::Pssh => "pssh (a script as ssh)",
                _ => who.name(),
            };
            (who, Line::new(name))
        })
        .collect();
    for count in counts {
        let own = |who| [Who::Base, Who::Clsh].contains(&who);
        let lanes = lines.iter().filter_map(|&(who, _)| {
            let call = bench.with.local(who, count, 64, &["/bin/true"]);
            let runs = match count {
                ..=100 => 5,
                _ if own(who) => 3,
                1000 => 1,
                _ => return None,
            };
            let want = (who != Who::Pssh).then_some(NOTHING);
            bench.lane(who, runs, move || timed(&call, want))
        });
        for score in race(lanes.collect(), bench.budget(10)) {
            let line = lines.iter_mut().find(|(who, _)| *who == score.who);
            if let (Some((_, line)), Some(seconds)) = (line, median(&score.values)) {
                line.points.push((count as f64, seconds));
            }
        }
    }
    lines.into_iter().map(|(_, line)| line).collect()
}
