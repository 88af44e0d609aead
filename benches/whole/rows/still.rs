//! What clsh takes when hardly anything happens: a line's delay, being idle, starting, reading names.

use super::Bench;
use crate::actors::now_nanos;
use crate::contenders::{CLSH, Who};
use crate::numbers::{digits, grouped, median, spread};
use crate::race::{Lane, Row, Score, race};
use crate::run::{Call, Guard, reap};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::cell::RefCell;
use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A program that stays until it is told to end.
pub struct Staying {
    pub child: Child,
    guard: Guard,
}

impl Staying {
    pub fn start(call: &Call) -> Result<Staying, String> {
        let mut command = Command::new(&call.words[0]);
        command.args(&call.words[1..]).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let child = command.stderr(Stdio::null()).spawn();
        let child = child.map_err(|error| error.to_string())?;
        let guard = Guard::new(&child, call.limit);
        Ok(Staying { child, guard })
    }

    /// Waits until so many nodes live; how many do in the end.
    fn wait_for(&self, count: usize) -> usize {
        let start = Instant::now();
        while children(&self.child) < count && start.elapsed() < Duration::from_secs(150) {
            sleep(Duration::from_millis(200));
        }
        children(&self.child)
    }

    /// The peak of memory.
    pub fn end(mut self) -> f64 {
        let group = Pid::from_raw(self.child.id() as i32);
        // It may be gone.
        let _ = killpg(group, Signal::SIGTERM);
        drop(self.child.stdout.take());
        let (_, peak_mib, _) = reap(&self.child);
        self.guard.stand_down();
        peak_mib
    }
}

/// Microseconds from the moment each line was written to the moment it came.
fn delays(call: &Call, count: usize) -> Result<Vec<f64>, String> {
    let mut staying = Staying::start(call)?;
    let mut out = staying.child.stdout.take().expect("a pipe");
    let (mut delays, mut rest, mut buffer) = (Vec::new(), Vec::new(), vec![0; 64 * 1024]);
    while delays.len() < count {
        let length = out.read(&mut buffer).unwrap_or(0);
        let now = now_nanos();
        if length == 0 {
            break;
        }
        rest.extend_from_slice(&buffer[..length]);
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            let written = line.split_whitespace().last().unwrap_or_default();
            let written: u64 = written.parse().map_err(|_| format!("a line: {line}"))?;
            delays.push(now.saturating_sub(written) as f64 / 1e3);
        }
    }
    drop(out);
    staying.end();
    if delays.len() == count {
        Ok(delays)
    } else {
        Err(format!("{} lines of {count}", delays.len()))
    }
}

pub fn delay(bench: &Bench) -> Vec<Row> {
    let ticks = bench.size(1000, 100).to_string();
    let count: usize = ticks.parse().expect("a number");
    let many = bench.size(1000, 50);
    let one = bench.with.own(&["ticks", &ticks, "300"]);
    let last = format!(
        "test %n = {} && exec {} || exec sleep 1000",
        many - 1,
        bench.with.own(&["ticks", &ticks, "1000"]).join(" ")
    );
    let among = ["sh", "-c", &last];
    let bare = Call::new(one.iter().copied()).limit_secs(30);
    let mut rows = Vec::new();
    for (nodes, words) in [(1, &one[..]), (many, &among[..])] {
        let all: RefCell<Vec<(Who, Vec<f64>)>> = RefCell::default();
        let mut lanes: Vec<Lane> = Vec::new();
        let peers = [Who::Clsh, Who::Pdsh, Who::Clush];
        let peers = &peers[..if nodes == 1 { 3 } else { 1 }];
        for &who in [Who::Base].iter().chain(peers) {
            let call = match who {
                Who::Base => bare.clone(),
                _ => bench.with.local(who, nodes, nodes, words).limit_secs(60),
            };
            let all = &all;
            lanes.extend(bench.lane(who, 5, move || {
                let seen = delays(&call, count)?;
                let middle = median(&seen).unwrap_or(0.0);
                all.borrow_mut().push((who, seen));
                Ok(middle)
            }));
        }
        let mut scores = race(lanes, bench.budget(25));
        rows.push(delay_row(nodes, &mut scores, &all.into_inner()));
    }
    rows
}

/// What is told is how much more than through a bare pipe.
fn delay_row(nodes: usize, scores: &mut [Score], all: &[(Who, Vec<f64>)]) -> Row {
    let late = |who: Who| {
        let mut seen: Vec<f64> = all
            .iter()
            .filter(|(of, _)| *of == who)
            .flat_map(|(_, seen)| seen)
            .copied()
            .collect();
        seen.sort_by(f64::total_cmp);
        seen.get(seen.len() * 99 / 100).copied().unwrap_or(0.0)
    };
    let live = if nodes == 1 { "node" } else { "nodes" };
    let work = format!(
        "a line's added delay, {} live {live}, microseconds over a bare pipe",
        grouped(nodes)
    );
    let base = scores[0].values.clone();
    let mut row = Row::new(work);
    let text = format!(
        "bare pipe {}, p99 {}",
        spread(&base, "us"),
        digits(late(Who::Base))
    );
    row.cell(Who::Base, text);
    for score in &mut scores[1..] {
        let values = score.values.iter().zip(&base);
        let added: Vec<f64> = values.map(|(value, base)| value - base).collect();
        let text = match &score.failed {
            Some(error) => error.clone(),
            None => format!(
                "+{}, p99 {:+.0}",
                spread(&added, "us"),
                late(score.who) - late(Who::Base)
            ),
        };
        if score.who == Who::Clsh {
            row.wrong
                .extend(score.failed.iter().map(|error| format!("clsh: {error}")));
            row.at_most("median <= +40 us", median(&added).unwrap_or(f64::MAX), 40.0);
        }
        row.cell(score.who, text);
    }
    row
}

fn switches(child: &Child) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
    line.trim().parse().ok()
}

/// How many children it has that are nodes.
fn children(child: &Child) -> usize {
    let pid = child.id();
    let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
    let list = list.unwrap_or_default();
    // clsh's oldest child is its guardian.
    let is_guardian = |pid: &&str| {
        let name = fs::read_to_string(format!("/proc/{pid}/comm"));
        name.is_ok_and(|name| name == "clsh-guardian\n")
    };
    let guarded = list.split_whitespace().next().filter(is_guardian).is_some();
    list.split_whitespace().count() - usize::from(guarded)
}

/// clsh's peak of memory with so many nodes, all of them live.
pub fn all_live(bench: &Bench, count: usize) -> Result<f64, String> {
    let words = ["/bin/sleep", "1000"];
    let call = bench.with.local(Who::Clsh, count, count, &words);
    let staying = Staying::start(&call.limit_secs(200))?;
    let live = staying.wait_for(count);
    let peak_mib = staying.end();
    if live == count {
        Ok(peak_mib)
    } else {
        Err(format!("{live} nodes live"))
    }
}

pub fn idle(bench: &Bench) -> Vec<Row> {
    let count = bench.size(1000, 100);
    let seconds = bench.size(10, 1);
    let words = ["/bin/sleep", "1000"];
    let call = bench.with.local(Who::Clsh, count, count, &words);
    let mut row = Row::new(format!(
        "idle: {} silent nodes for {seconds} s, times clsh woke up",
        grouped(count)
    ));
    let staying = match Staying::start(&call) {
        Ok(staying) => staying,
        Err(error) => {
            row.wrong.push(error);
            return vec![row];
        }
    };
    let live = staying.wait_for(count);
    sleep(Duration::from_secs(1));
    let before = switches(&staying.child);
    sleep(Duration::from_secs(seconds));
    let after = switches(&staying.child);
    staying.end();
    let woken = before.zip(after).map(|(before, after)| after - before);
    if live != count {
        row.wrong.push(format!("idle: {live} nodes of {count}"));
    }
    if let Some(woken) = woken {
        row.cell(Who::Clsh, woken.to_string());
        row.at_most("none", woken as f64, 0.0);
    }
    vec![row]
}

pub fn start(bench: &Bench) -> Vec<Row> {
    let lane = |who, words: &[&str]| {
        let call = Call::new(words.iter().copied());
        bench.lane(who, 15, move || {
            let mut seconds = Vec::new();
            for _ in 0..20 {
                seconds.push(call.run()?.seconds * 1e3);
            }
            Ok(median(&seconds).unwrap_or(0.0))
        })
    };
    let lanes = [
        lane(Who::Base, &["/bin/true"]),
        lane(Who::Clsh, &[CLSH, "--version"]),
    ];
    let scores = race(lanes.into_iter().flatten().collect(), bench.budget(15));
    let targets = [crate::race::Target::OfBase(1.3)];
    let work = "start: `clsh --version`, against `/bin/true`";
    vec![Row::of_scores(work, "ms", &scores, &targets)]
}

/// The program built for musl, which is one file without libraries.
pub fn size(bench: &Bench) -> Vec<Row> {
    let triple = format!("{}-unknown-linux-musl", std::env::consts::ARCH);
    let mut row = Row::new("the stripped static binary");
    let rustc = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", &triple])
        .output();
    let library = String::from_utf8_lossy(&rustc.map(|ran| ran.stdout).unwrap_or_default())
        .trim()
        .to_owned();
    let mib = |path: &Path| fs::metadata(path).map_or(0.0, |file| file.len() as f64 / 1048576.0);
    let dynamic = digits(mib(Path::new(CLSH)));
    let installed = !library.is_empty() && Path::new(&library).exists();
    if bench.quick || !installed {
        let why = match installed {
            true => "this is a quick run".to_owned(),
            false => format!("rustup target add {triple}"),
        };
        let text = format!("not built: {why}; the dynamic one has {dynamic} MiB");
        row.cell(Who::Clsh, text);
        row.targets.push(("<= 1 MiB".to_owned(), None));
        return vec![row];
    }
    let target = bench.with.file("target");
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let built = Command::new(cargo)
        .args(["build", "-q", "--release", "--locked", "--target", &triple])
        .args([Path::new("--target-dir"), &target])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    let binary = target.join(&triple).join("release/clsh");
    if !built.is_ok_and(|status| status.success()) {
        row.wrong.push(format!("clsh does not build for {triple}"));
    }
    let size = mib(&binary);
    let text = format!("{} MiB (dynamic: {dynamic})", digits(size));
    row.cell(Who::Clsh, text);
    row.at_most("<= 1 MiB", size, 1.0);
    vec![row]
}

/// Seconds to expand, to merge and to fold so many names.
fn names_once(bench: &Bench, count: usize) -> Result<[f64; 3], String> {
    let count = count.to_string();
    let call = Call::new(bench.with.own(&["names", &count]));
    let mut text = Vec::new();
    call.run_seen(&mut |piece| text.extend_from_slice(piece))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut numbers = text
        .split_whitespace()
        .map(|word| word.parse().unwrap_or(f64::NAN));
    Ok([(); 3].map(|()| numbers.next().unwrap_or(f64::NAN)))
}

pub fn names(bench: &Bench) -> Vec<Row> {
    let (few, many) = bench.size((250_000, 1_000_000), (2_500, 10_000));
    let parts: RefCell<Vec<[f64; 3]>> = RefCell::default();
    let lanes = [(Who::Base, few), (Who::Clsh, many)].map(|(who, count)| {
        let parts = &parts;
        bench.lane(who, 7, move || {
            let seconds = names_once(bench, count)?;
            if who == Who::Clsh {
                parts.borrow_mut().push(seconds);
            }
            Ok(seconds.iter().sum())
        })
    });
    let scores = race(lanes.into_iter().flatten().collect(), bench.budget(15));
    let work = format!(
        "hosts: expand, merge, fold {} names, against {}",
        grouped(many),
        grouped(few)
    );
    let mut row = Row::of_scores(work, "s", &scores, &[]);
    let parts = parts.into_inner();
    let each = [0, 1, 2].map(|at| {
        let seconds: Vec<f64> = parts.iter().map(|part| part[at]).collect();
        digits(median(&seconds).unwrap_or(0.0))
    });
    let at = Who::Clsh as usize;
    row.cells[at] = format!(
        "{}; expand {}, merge {}, fold {}",
        row.cells[at], each[0], each[1], each[2]
    );
    let seconds = crate::race::middle(&scores, Who::Clsh);
    row.at_most("< 0.5 s", seconds, 0.5);
    let growth = seconds / crate::race::middle(&scores, Who::Base);
    row.at_most("linear (<= 5 x)", growth, 5.0);
    vec![row]
}
