//! A seed becomes a case. Where neither a signal nor a limit would end a node, only an input that never ends may hold it.

use super::{Case, Faults};
use crate::generate::{quirks, requests, sink};
use crate::random::Random;
use crate::script::{
    Actor, Scenario, SinkStep, SourceStep, Spawn, Step, bootstrap, farewell, frame, hello,
    hello_on, nonce,
};
use clsh::engine::{Exit, Plan, Progress, Protocol, Request, Source, Stdin, Time};
use clsh::job::{Retries, Shape};
use clsh::limits::CONNECT_GRACE;
use clsh::output::Stream;
use std::sync::OnceLock;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// The longest input.
const TEXT_MAX: usize = 3 * 1024 * 1024;
/// Most reads of one input by one node.
const READS_MAX: usize = 150;

/// What holds for all nodes of a run.
struct Climate {
    framed: bool,
    /// The commands' stdin is clsh's.
    reads: bool,
    retried: bool,
    connect: Duration,
    /// Something ends a node that does not end by itself.
    patient: bool,
    input: usize,
    pause_max: Time,
    pause_percent: usize,
    odd_percent: usize,
    lines_max: usize,
    /// Nodes that say the same start from the same seed.
    speeches: u64,
    /// Bytes that would look like clsh's own doing are left out.
    plain: bool,
    marked: bool,
}

pub fn case(seed: u64) -> Case {
    let mut random = Random::new(seed ^ 0x5049_5045);
    let r = &mut random;
    let protocol = match r.below(10) {
        0..=6 => Protocol::Framed(nonce()),
        7 => Protocol::Bare,
        _ => Protocol::Local,
    };
    let mut scenario = Scenario::calm(protocol, Vec::new());
    scenario.seed = seed;
    requests(&mut scenario, r);
    let ended = scenario
        .requests
        .iter()
        .any(|(_, request)| matches!(request, Request::End(_) | Request::Kill(_)));
    let few = r.between(1, 10);
    let nodes = r.between(1, few);
    plan(&mut scenario.plan, r, nodes);
    scenario.quirks = quirks(r);
    scenario.sinks = match r.percent(60) {
        true => [vec![SinkStep::Free], vec![SinkStep::Free]],
        false => [sink(r, ended), sink(r, ended)],
    };
    let most = match scenario.quirks.pipe_bytes {
        7 => 150,
        4_096 => 100_000,
        _ => TEXT_MAX,
    };
    let size = most.min(match r.below(20) {
        0 => 0,
        1..=10 => r.below(5_000),
        11..=14 => r.below(200_000),
        15..=17 => r.between(1_000_000, 1_500_000),
        _ => r.between(1_500_000, TEXT_MAX),
    });
    scenario.plan.input = match r.below(20) {
        0..=2 => Stdin::Nothing,
        3..=6 => Stdin::File(size as u64),
        _ => Stdin::Stream,
    };
    let size = match scenario.plan.input {
        Stdin::Nothing => 0,
        _ => size,
    };
    let climate = Climate {
        framed: matches!(scenario.plan.protocol, Protocol::Framed(_)),
        reads: scenario.plan.input != Stdin::Nothing,
        retried: scenario.plan.retries.most > 0,
        connect: scenario.plan.connect,
        patient: ended || scenario.plan.time_limit.is_some(),
        input: size,
        pause_max: Duration::from_micros(*r.pick(&[50, 5_000, 200_000, 2_000_000])),
        pause_percent: *r.pick(&[1, 10, 50]),
        odd_percent: *r.pick(&[0, 10, 50]),
        lines_max: if scenario.quirks.pipe_bytes == 7 {
            3
        } else {
            40
        },
        speeches: r.next(),
        plain: scenario.plan.progress.is_some(),
        marked: scenario.plan.sinks.merged || !scenario.plan.sinks.label,
    };
    scenario.actors = (0..nodes).map(|_| actor(&climate, r)).collect();
    let tries = (0..nodes).map(|_| tries(&scenario.plan, &climate, r));
    let tries = tries.collect();
    let ends = r.percent(70);
    Case {
        tries,
        text: text(r, size),
        supply: supply(r, size, ends),
        faults: faults(r, size, nodes),
        scenario,
    }
}

fn plan(plan: &mut Plan, r: &mut Random, nodes: usize) {
    plan.labels = (0..nodes).map(|rank| format!("n{rank}").into()).collect();
    plan.window = r.between(1, nodes + 2);
    plan.connect = SECOND * r.between(1, 5) as u32;
    plan.time_limit = r
        .percent(30)
        .then(|| Duration::from_millis(1) + r.time(SECOND * 10));
    plan.kill_after = *r.pick(&[Time::ZERO, SECOND / 10, SECOND * 2]);
    plan.keep_going = r.percent(60);
    plan.fail_fast = !plan.keep_going && r.percent(30);
    plan.warn = r.percent(80);
    plan.verbose = r.percent(20);
    plan.shape = match r.below(8) {
        0..=1 => Shape::Lines,
        2..=3 => Shape::Ordered,
        4..=5 => Shape::Gathered {
            diff: r.percent(20),
        },
        _ => Shape::Json,
    };
    let by_line = matches!(plan.shape, Shape::Lines | Shape::Ordered);
    plan.sinks.merged = by_line && r.percent(30);
    plan.sinks.label = plan.shape != Shape::Ordered || plan.sinks.merged || r.percent(70);
    plan.files = [r.percent(15), r.percent(15)];
    plan.retries = Retries {
        most: *r.pick(&[0, 0, 1, 3]),
        delay: *r.pick(&[Time::ZERO, SECOND / 1000, SECOND, SECOND * 2]),
    };
    plan.summary = r.percent(25);
    plan.progress = r.percent(35).then(|| Progress {
        after: *r.pick(&[Time::ZERO, SECOND]),
        columns: *r.pick(&[80, 80, 0, 1, 10, 30]),
    });
    plan.seed = r.next();
}

/// Bytes of which no part of some length comes twice.
fn text(r: &mut Random, size: usize) -> Vec<u8> {
    static TEXT: OnceLock<Vec<u8>> = OnceLock::new();
    let text = TEXT.get_or_init(|| {
        let mut words = Random::new(0x7465_7874);
        (0..2 * TEXT_MAX / 8)
            .flat_map(|_| words.next().to_le_bytes())
            .collect()
    });
    let from = r.below(TEXT_MAX);
    text[from..from + size].to_vec()
}

fn supply(r: &mut Random, size: usize, ends: bool) -> Vec<SourceStep> {
    let mut steps = Vec::new();
    let mut left = size;
    let most = match r.below(3) {
        0 => size.max(1),
        1 => (size / 4).max(1),
        _ => (size / 40).max(1),
    };
    let longest = Duration::from_micros(*r.pick(&[1, 1_000, 100_000, 1_000_000]));
    while left > 0 {
        let bytes = r.between(1, most.min(left));
        left -= bytes;
        steps.extend([SourceStep::Wait(r.time(longest)), SourceStep::Give(bytes)]);
    }
    if r.percent(3) {
        steps.truncate(r.below(steps.len() + 1));
        steps.push(SourceStep::Fail);
    } else if ends {
        steps.extend([SourceStep::Wait(r.time(longest)), SourceStep::End]);
    }
    steps
}

fn faults(r: &mut Random, size: usize, nodes: usize) -> Faults {
    let mut faults = Faults::default();
    match r.below(30) {
        0..=1 => faults.spool_room[0] = Some(r.below(size + 1)),
        2..=3 => {
            let source = Source {
                node: r.below(nodes) as u32,
                stream: *r.pick(&Stream::BOTH),
            };
            faults.store_room = Some((source, r.below(500)));
        }
        4 => faults.file_ends = Some((r.below(size + 1), r.percent(50))),
        _ => {}
    }
    faults
}

fn actor(climate: &Climate, r: &mut Random) -> Actor {
    let mut actor = Actor::new(script(climate, r));
    actor.spawn = match r.below(40) {
        0 => Spawn::Fails {
            found: r.percent(50),
        },
        1..=2 => Spawn::Delayed(r.between(1, 3) as u32),
        _ => Spawn::Starts,
    };
    actor.on_term = (!r.percent(15)).then(|| {
        let mut steps = vec![Step::Wait(r.time(SECOND / 4))];
        if r.percent(30) {
            output("t", 2, climate, r, &mut steps);
        }
        steps.push(Step::Exit(*r.pick(&[Exit::Signal(15), Exit::Code(0)])));
        steps
    });
    actor.dies_after = match r.below(10) {
        0 => r.time(SECOND * 3),
        _ => Time::ZERO,
    };
    // One that is tried again leaves nobody behind.
    if !climate.retried && r.percent(8) {
        let mut steps = vec![Step::Wait(r.time(SECOND))];
        if r.percent(50) {
            output("b", 3, climate, r, &mut steps);
        }
        if climate.reads && r.percent(30) && climate.input < 10_000 {
            steps.push(Step::Drain(1000, Time::ZERO));
        }
        actor.background = Some(steps);
    }
    actor
}

/// Connections that fail, in all the ways they do.
fn tries(plan: &Plan, climate: &Climate, r: &mut Random) -> Vec<Actor> {
    if !climate.framed || r.percent(50) {
        return Vec::new();
    }
    let count = r.below(plan.retries.most as usize + 1);
    (0..count).map(|_| failure(climate, r)).collect()
}

fn failure(climate: &Climate, r: &mut Random) -> Actor {
    let mut steps = vec![pause(climate, r)];
    if climate.reads && r.percent(30) {
        // It reads ahead, as ssh does, and none of that counts.
        steps.push(Step::Take(r.between(1, 100_000)));
    }
    let words = b"ssh: connect to host: Connection refused\n".to_vec();
    match r.below(4) {
        0..=1 => {
            steps.push(Step::Write(Stream::Err, words));
            steps.push(Step::Exit(Exit::Code(255)));
            Actor::new(steps)
        }
        2 => Actor::new(vec![Step::Sleep]),
        // The hello comes when clsh has given up.
        _ => {
            let late = climate.connect + CONNECT_GRACE + Duration::from_millis(20);
            let mut actor = Actor::new(vec![Step::Sleep]);
            let rest = [hello(), pause(climate, r), Step::Exit(Exit::Code(255))];
            match r.percent(50) {
                true => {
                    let mut steps = vec![Step::Wait(r.time(SECOND / 5))];
                    steps.extend(rest);
                    actor.on_term = Some(steps);
                }
                false => {
                    actor.on_term = None;
                    actor.script = vec![Step::Wait(late)];
                    actor.script.extend(rest);
                }
            }
            actor
        }
    }
}

fn script(climate: &Climate, r: &mut Random) -> Vec<Step> {
    let odd = r.percent(climate.odd_percent);
    let mut steps = vec![pause(climate, r)];
    if climate.framed {
        if odd && r.percent(10) {
            steps.push(Step::Exit(Exit::Code(255)));
            return steps;
        }
        if r.percent(70) {
            steps.extend(bootstrap());
        }
        if r.percent(70) {
            cut(hello_on(Stream::Out), climate, r, &mut steps);
        }
        cut(hello(), climate, r, &mut steps);
    }
    let few = r.between(1, climate.lines_max);
    let lines = r.below(few + 1);
    let piece = (climate.input / READS_MAX + 1).max(r.between(1, 70_000));
    let rest = Duration::from_micros(*r.pick(&[0, 0, 100, 20_000]));
    let drain = Step::Drain(piece, rest);
    if r.percent(50) {
        output("", lines / 2, climate, r, &mut steps);
    }
    match r.below(20) {
        0..=15 if !climate.reads => steps.push(pause(climate, r)),
        0..=9 => steps.push(drain),
        10..=11 => {
            steps.extend([Step::Take(r.between(1, 10_000)), Step::CloseInput]);
            steps.push(pause(climate, r));
        }
        12..=13 => steps.push(Step::Take(r.between(1, 100_000))),
        14..=15 => {
            for _ in 0..r.below(10) {
                steps.push(Step::Take(r.between(1, piece)));
                output("i", 1, climate, r, &mut steps);
            }
            steps.push(drain);
        }
        16 if climate.patient => {
            steps.push(Step::Sleep);
            return steps;
        }
        17 if climate.reads => steps.extend([Step::Wait(r.time(SECOND * 2)), drain]),
        _ => steps.push(Step::Wait(r.time(SECOND))),
    }
    output("", lines, climate, r, &mut steps);
    let lost = odd && r.percent(10);
    let status = *r.pick(&[0, 0, 0, 0, 0, 1, 7, 255]);
    if climate.framed {
        let [out, err, exit] = farewell(status);
        cut(out, climate, r, &mut steps);
        if !lost {
            cut(err, climate, r, &mut steps);
        }
        if r.percent(10) {
            // The transport stays for a while.
            steps.push(Step::Wait(r.time(SECOND)));
        }
        steps.push(match lost {
            true => Step::Exit(Exit::Code(255)),
            false => exit,
        });
    } else {
        steps.push(Step::Exit(match lost {
            true => Exit::Signal(9),
            false => Exit::Code(status),
        }));
    }
    steps
}

fn pause(climate: &Climate, r: &mut Random) -> Step {
    Step::Wait(match r.percent(climate.pause_percent) {
        true => r.time(climate.pause_max),
        false => Time::ZERO,
    })
}

/// Lines on both streams, in writes that end anywhere. Often another node says the very same.
fn output(part: &str, lines: usize, climate: &Climate, r: &mut Random, steps: &mut Vec<Step>) {
    let own = r.next();
    let mut words = match r.percent(70) {
        true => Random::new(climate.speeches.wrapping_add(r.below(2) as u64)),
        false => Random::new(own),
    };
    let longest = *words.pick(&[20, 80, 80, 2_000]);
    let lines = match words.percent(60) {
        true => lines.min(1 + words.below(3)),
        false => lines,
    };
    for number in 0..lines {
        let stream = match words.percent(75) {
            true => Stream::Out,
            false => Stream::Err,
        };
        let mut line = format!("{}{part}{number};", ["o", "e"][stream as usize]).into_bytes();
        let length = words.below(longest + 1);
        match words.below(20) {
            0 => line.extend_from_slice(&frame("5b5b5b5b", "exit 0")[..14]),
            1 if !climate.plain => {
                line.extend_from_slice(b"\xff\0\r\x1e\x1e\x80\"\\\x1b[31mtext\t")
            }
            2 if !climate.marked => line.clear(),
            3 => line.extend("aé日😀\"".bytes()),
            4 => line.extend_from_slice(&nonce().as_str().as_bytes()[..20]),
            _ => line.extend_from_slice(&vec![b'x'; length]),
        }
        // Whether the last one has an end is the node's own.
        let last = number + 1 == lines && r.percent(15);
        if !words.percent(3) && !last {
            line.push(b'\n');
        }
        cut(Step::Write(stream, line), climate, r, steps);
    }
}

/// Writes in pieces, with pauses between them.
fn cut(step: Step, climate: &Climate, r: &mut Random, steps: &mut Vec<Step>) {
    let Step::Write(stream, bytes) = step else {
        return steps.push(step);
    };
    let mut rest = &bytes[..];
    while !rest.is_empty() {
        let count = match r.percent(80) {
            true => rest.len(),
            false => r.between(1, rest.len()),
        };
        steps.push(Step::Write(stream, rest[..count].to_vec()));
        steps.push(pause(climate, r));
        rest = &rest[count..];
    }
}
