//! A seed becomes a scenario. Every scenario can end: what runs for ever has a time limit or a signal that comes.

use super::random::Random;
use super::script::{
    Actor, Quirks, Scenario, SinkStep, Spawn, Step, farewell, frame, hello, hello_on, nonce,
};
use clsh::engine::{Exit, Protocol, Request, Time};
use clsh::output::Stream;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// Most lines of one node: many short ones say no more than some.
const LINES_MAX: usize = 200;

/// What holds for all nodes of a run.
struct Climate {
    framed: bool,
    /// A signal will come, or every node has a time limit.
    patient: bool,
    limited: bool,
    /// Lines must be told apart by their text alone.
    anonymous: bool,
    long_lines: bool,
    bytes_max: usize,
    pause_max: Time,
    pause_percent: usize,
    odd_percent: usize,
}

pub fn scenario(seed: u64) -> Scenario {
    let mut random = Random::new(seed);
    let r = &mut random;
    let protocol = match r.below(10) {
        0..=5 => Protocol::Framed(nonce()),
        6..=7 => Protocol::Bare,
        _ => Protocol::Local,
    };
    let mut scenario = Scenario::calm(protocol.clone(), Vec::new());
    scenario.seed = seed;
    scenario.long_lines = r.percent(2);
    let most = if scenario.long_lines { 8 } else { 40 };
    let few = r.between(1, most);
    let nodes = r.between(1, few);
    requests(&mut scenario, r);
    let ended = scenario
        .requests
        .iter()
        .any(|(_, request)| matches!(request, Request::End(_) | Request::Kill(_)));
    plan(&mut scenario, r, nodes);
    scenario.sinks = [sink(r, ended), sink(r, ended)];
    scenario.quirks = quirks(r);
    if scenario.long_lines {
        scenario.quirks.pipe_bytes = 65_536;
        let default = scenario.plan.unfinished_max;
        scenario.plan.unfinished_max = *r.pick(&[default, 3_000, 100_000, 1_000_000]);
    }
    let limited = scenario.plan.time_limit.is_some();
    // A small pipe takes many turns.
    let most = match scenario.quirks.pipe_bytes {
        7 => 300,
        4_096 => 50_000,
        _ => usize::MAX,
    };
    let volume = most.min(*r.pick(&[200, 2_000, 2_000, 20_000, 100_000]));
    let climate = Climate {
        framed: matches!(protocol, Protocol::Framed(_)),
        patient: ended,
        limited,
        anonymous: scenario.plan.sinks.merged || !scenario.plan.sinks.label,
        long_lines: scenario.long_lines,
        bytes_max: if scenario.long_lines {
            2_500_000
        } else {
            volume
        },
        pause_max: Duration::from_micros(*r.pick(&[50, 5_000, 400_000, 3_000_000])),
        pause_percent: *r.pick(&[1, 10, 50]),
        odd_percent: *r.pick(&[0, 10, 50]),
    };
    scenario.actors = (0..nodes).map(|rank| actor(rank, &climate, r)).collect();
    scenario
}

fn plan(scenario: &mut Scenario, r: &mut Random, nodes: usize) {
    let plan = &mut scenario.plan;
    plan.labels = (0..nodes).map(|rank| format!("n{rank}").into()).collect();
    plan.window = r.between(1, 40);
    plan.cores = *r.pick(&[usize::MAX, 1, 2, 8]);
    plan.connect = SECOND * r.between(1, 10) as u32;
    plan.time_limit = r
        .percent(40)
        .then(|| Duration::from_millis(1) + r.time(SECOND * 10));
    plan.kill_after = *r.pick(&[Time::ZERO, SECOND / 10, SECOND * 2, SECOND * 5]);
    plan.keep_going = r.percent(50);
    plan.warn = r.percent(80);
    plan.verbose = r.percent(30);
    plan.sinks.merged = !scenario.long_lines && r.percent(30);
    plan.sinks.label = scenario.long_lines || r.percent(80);
}

pub fn requests(scenario: &mut Scenario, r: &mut Random) {
    let span = *r.pick(&[SECOND / 1000, SECOND / 10, SECOND * 3, SECOND * 20]);
    let count = *r.pick(&[0, 0, 0, 1, 1, 2, 3, 6]);
    for _ in 0..count {
        let request = match r.below(10) {
            0..=4 => Request::End(*r.pick(&[1, 2, 15])),
            5 => Request::Kill(3),
            6..=7 => Request::Status,
            _ => Request::Suspend,
        };
        scenario.requests.push((r.time(span), request));
    }
    if r.percent(10) {
        scenario.stops.push((r.time(span), r.time(SECOND * 100)));
    }
}

pub fn sink(r: &mut Random, ended: bool) -> Vec<SinkStep> {
    let longest = SECOND * *r.pick(&[1, 4, 30]);
    let most = *r.pick(&[10, 5_000, 100_000]);
    let (soon, some) = (
        SinkStep::Wait(r.time(longest)),
        SinkStep::Take(r.below(most)),
    );
    match r.below(20) {
        0..=10 => vec![SinkStep::Free],
        11..=12 => {
            let period = Duration::from_micros(r.between(100, 20_000) as u64);
            let enough = *r.pick(&[5_000, 65_536]);
            vec![some, soon, SinkStep::Drip(r.between(1_000, enough), period)]
        }
        13..=15 => vec![some, soon, SinkStep::Free],
        16 if ended => vec![some],
        16..=17 => vec![some, soon, some, soon, SinkStep::Free],
        18 => vec![some, soon, SinkStep::Close],
        _ => vec![some, soon, SinkStep::Fail],
    }
}

pub fn quirks(r: &mut Random) -> Quirks {
    Quirks {
        pipe_bytes: *r.pick(&[65_536, 65_536, 65_536, 4_096, 7]),
        edge_each_write: r.percent(50),
        stall_percent: *r.pick(&[0, 5, 40]),
        stall_max: Duration::from_millis(*r.pick(&[1, 20, 100])),
        race_percent: *r.pick(&[0, 20, 90]),
        spurious_percent: *r.pick(&[0, 0, 3]),
        edges_max: if r.percent(20) {
            r.between(1, 8)
        } else {
            usize::MAX
        },
        short_writes: r.percent(30),
        tells_work: r.percent(80),
        suspend_max: SECOND * 5,
    }
}

fn actor(rank: usize, climate: &Climate, r: &mut Random) -> Actor {
    let mut actor = Actor::new(script(rank, climate, r));
    actor.spawn = match r.below(40) {
        0 => Spawn::Fails {
            found: r.percent(50),
        },
        1..=2 => Spawn::Delayed(r.between(1, 3) as u32),
        3 if r.percent(10) => Spawn::Delayed(80),
        _ => Spawn::Starts,
    };
    actor.on_term = (!r.percent(15)).then(|| last_words(rank, climate, r));
    actor.dies_after = match r.below(10) {
        0 => r.time(SECOND * 4),
        1..=3 => r.time(SECOND / 100),
        _ => Time::ZERO,
    };
    if r.percent(12) {
        actor.background = Some(background(rank, climate, r));
    }
    actor
}

fn script(rank: usize, climate: &Climate, r: &mut Random) -> Vec<Step> {
    let odd = r.percent(climate.odd_percent);
    let kind = if odd { r.below(8) } else { 99 };
    let mut steps = vec![pause(climate, r)];
    if kind == 0 {
        // Never gets as far as the command: ssh's own words and its status, or silence.
        steps.extend(output(rank, "s", 100, climate, r));
        let exit = if r.percent(50) { 255 } else { 0 };
        steps.push(if climate.framed && r.percent(50) {
            Step::Sleep
        } else {
            Step::Exit(Exit::Code(exit))
        });
        return steps;
    }
    if climate.framed {
        if kind == 1 {
            steps.push(Step::Wait(r.time(SECOND * 12)));
        }
        if r.percent(70) {
            cut(hello_on(Stream::Out), climate, r, &mut steps);
        }
        cut(hello(), climate, r, &mut steps);
    }
    let volume = match r.below(4) {
        0 => 0,
        1 => climate.bytes_max / 20,
        _ => climate.bytes_max,
    };
    steps.extend(output(rank, "", volume, climate, r));
    let endless = climate.patient || climate.limited;
    if kind == 2 && endless {
        steps.push(Step::Sleep);
        return steps;
    }
    let lost = kind == 3;
    ending(kind, lost, climate, r, &mut steps);
    if lost {
        steps.truncate(r.between(1, steps.len()));
        let exit = *r.pick(&[Exit::Code(255), Exit::Signal(9), Exit::Code(0)]);
        steps.push(Step::Exit(exit));
    }
    steps
}

fn ending(kind: usize, lost: bool, climate: &Climate, r: &mut Random, steps: &mut Vec<Step>) {
    let status = *r.pick(&[0, 0, 0, 1, 7, 124, 137, 255]);
    if !climate.framed {
        let exit = match kind {
            4 => Exit::Signal(*r.pick(&[2, 9, 15, 127])),
            _ => Exit::Code(status),
        };
        if r.percent(20) {
            steps.extend([Step::Close(*r.pick(&Stream::BOTH)), pause(climate, r)]);
        }
        steps.push(Step::Exit(exit));
        return;
    }
    let [out, err, exit] = farewell(status);
    cut(out, climate, r, steps);
    if r.percent(10) {
        steps.extend([Step::Close(Stream::Out), pause(climate, r)]);
    }
    cut(err, climate, r, steps);
    if kind == 5 {
        // The transport stays: for a while, or for good.
        steps.push(pause(climate, r));
        if !lost && r.percent(50) {
            steps.push(Step::Sleep);
            return;
        }
    }
    if r.percent(20) {
        steps.extend([Step::Close(*r.pick(&Stream::BOTH)), pause(climate, r)]);
    }
    steps.push(exit);
}

fn last_words(rank: usize, climate: &Climate, r: &mut Random) -> Vec<Step> {
    let mut steps = vec![Step::Wait(match r.below(3) {
        0 => Time::ZERO,
        1 => r.time(SECOND / 10),
        _ => r.time(SECOND * 4),
    })];
    if r.percent(30) {
        steps.extend(output(rank, "t", 300, climate, r));
    }
    if climate.framed && r.percent(30) {
        steps.extend(farewell(143));
    }
    let exit = *r.pick(&[Exit::Signal(15), Exit::Code(255), Exit::Code(0)]);
    steps.push(Step::Exit(exit));
    steps
}

fn background(rank: usize, climate: &Climate, r: &mut Random) -> Vec<Step> {
    let mut steps = vec![Step::Wait(r.time(SECOND))];
    if r.percent(30) {
        steps.push(Step::Close(*r.pick(&Stream::BOTH)));
    }
    if r.percent(50) {
        let volume = *r.pick(&[100, 5_000, 200_000]);
        steps.extend(output(rank, "b", volume, climate, r));
    }
    if r.percent(50) {
        steps.push(Step::Sleep);
    }
    steps
}

fn pause(climate: &Climate, r: &mut Random) -> Step {
    Step::Wait(if r.percent(climate.pause_percent) {
        r.time(climate.pause_max)
    } else {
        Time::ZERO
    })
}

/// Lines on both streams, in writes that end anywhere. `part` keeps the lines of one stream unlike each other.
fn output(rank: usize, part: &str, volume: usize, climate: &Climate, r: &mut Random) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut left = volume;
    let longest = *r.pick(&[20, 80, 2_000, 70_000]);
    let mut number = 0;
    while left > 0 && number < LINES_MAX {
        let stream = if r.percent(80) {
            Stream::Out
        } else {
            Stream::Err
        };
        let name = ["o", "e"][stream as usize];
        let mut line = format!("{rank}.{name}.{part}{number};").into_bytes();
        let longest = if climate.long_lines && r.percent(10) {
            1_500_000
        } else {
            longest
        };
        fill(&mut line, longest.min(left), climate, r);
        if !r.percent(2) {
            line.push(b'\n');
        }
        left = left.saturating_sub(line.len());
        number += 1;
        cut(Step::Write(stream, line), climate, r, &mut steps);
    }
    steps
}

fn fill(line: &mut Vec<u8>, longest: usize, climate: &Climate, r: &mut Random) {
    let length = r.below(longest + 1);
    match r.below(20) {
        // What only looks like a frame.
        0 => {
            let forged = ["5b".repeat(16), nonce().as_str()[1..].into(), String::new()];
            let words = *r.pick(&["exit 0", "hello 1", "exit"]);
            let forged = frame(r.pick(&forged).as_str(), words);
            line.extend_from_slice(&forged[..forged.len() - 1]);
        }
        1 => line.extend_from_slice(b"\xff\0\r\x1e\x1e\x80text"),
        2 if !climate.anonymous => line.clear(),
        3 => line.extend((0..length).map(|at| b'a' + (at % 26) as u8)),
        _ => line.extend_from_slice(&vec![b'x'; length]),
    }
}

/// Writes in pieces, with pauses between them.
fn cut(step: Step, climate: &Climate, r: &mut Random, steps: &mut Vec<Step>) {
    let Step::Write(stream, bytes) = step else {
        return steps.push(step);
    };
    let mut rest = &bytes[..];
    let most = match r.below(6) {
        0 => 1 + rest.len() / 8,
        1 => rest.len(),
        _ => usize::MAX,
    };
    while !rest.is_empty() {
        let count = if most == usize::MAX {
            rest.len()
        } else {
            r.between(1, most.min(rest.len()))
        };
        steps.push(Step::Write(stream, rest[..count].to_vec()));
        steps.push(pause(climate, r));
        rest = &rest[count..];
    }
}
