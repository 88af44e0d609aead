//! What has to stand on stdout and stderr, worked out from what the nodes were heard to say: by line, in order, by groups, as objects.

use super::{Life, World};
use crate::naive::{raw, uncut, visible};
use crate::script::SinkStep;
use base64::Engine as _;
use clsh::engine::Protocol;
use clsh::job::Shape;
use clsh::limits::LINE_BYTES_MAX;
use clsh::outcome::Outcome;
use clsh::output::Stream;
use std::collections::HashMap;

pub fn judge(world: &World) {
    for sink in Stream::BOTH {
        let cut = world.is_cut(sink);
        let text = world.without_progress(sink, cut);
        let plan = &world.case.scenario.plan;
        match (plan.shape, sink) {
            (Shape::Gathered { diff }, Stream::Out) => groups(world, &text, diff, cut),
            (Shape::Json, Stream::Out) => objects(world, &text, cut),
            _ => lines(world, sink, text, cut),
        }
    }
}

/// The lines of a text, and whether the last one is whole.
fn split(text: &[u8]) -> (Vec<Vec<u8>>, bool) {
    let mut lines = Vec::new();
    let mut from = 0;
    for end in memchr::memchr_iter(b'\n', text) {
        lines.push(text[from..end].to_vec());
        from = end + 1;
    }
    let whole = from == text.len();
    (lines, whole)
}

fn shown(text: &[u8]) -> String {
    let some = &text[..text.len().min(200)];
    format!("{}, {} bytes", some.escape_ascii(), text.len())
}

impl World<'_> {
    /// Whether an end may lack, or parts when the run was given up.
    fn is_cut(&self, sink: Stream) -> bool {
        !self.is_well(sink)
            || !self.is_well(Stream::Out)
            || self.is_given_up()
            || self.spools[1].failed
    }

    /// The streams that come out on this sink as lines.
    fn streams(&self, sink: Stream) -> Vec<Stream> {
        let plan = &self.case.scenario.plan;
        let streams = match (plan.sinks.merged, sink) {
            (true, Stream::Out) => vec![Stream::Out, Stream::Err],
            (true, Stream::Err) => vec![],
            (false, stream) => vec![stream],
        };
        let printed = |stream: &Stream| !plan.files[*stream as usize];
        streams.into_iter().filter(printed).collect()
    }

    fn said(&self, rank: usize, stream: Stream) -> Vec<Vec<u8>> {
        let of = |life: &Life| visible(&life.delivered[stream as usize], self.secret());
        self.lives[rank].iter().flat_map(of).collect()
    }

    /// Lines of a stream that are complete, as far as it was heard.
    fn said_so_far(&self, rank: usize, stream: Stream) -> Vec<Vec<u8>> {
        let lives = &self.lives[rank];
        let over = |life: &Life| life.is_over();
        let of = |life: &Life| {
            let text = &life.delivered[stream as usize];
            let end = text
                .iter()
                .rposition(|&byte| byte == b'\n')
                .map_or(0, |at| at + 1);
            let end = if over(life) { text.len() } else { end };
            visible(&text[..end], self.secret())
        };
        lives.iter().flat_map(of).collect()
    }

    /// What could be shown by now is: clsh goes to sleep, and its sinks take all.
    pub fn shows_what_it_can(&self) {
        let scenario = &self.case.scenario;
        let free = |sink: Stream| matches!(scenario.sinks[sink as usize][..], [SinkStep::Free, ..]);
        let by_line = matches!(scenario.plan.shape, Shape::Lines | Shape::Ordered);
        if !by_line || !Stream::BOTH.into_iter().all(free) || self.is_cut(Stream::Out) {
            return;
        }
        let settled: Vec<usize> = self.engine.outcomes().map(|(rank, _)| rank).collect();
        let first = (0..self.lives.len()).find(|rank| !settled.contains(rank));
        let shown = match scenario.plan.shape {
            Shape::Ordered => first.map_or(self.lives.len(), |first| first + 1),
            _ => self.lives.len(),
        };
        for sink in Stream::BOTH {
            let text = self.without_progress(sink, true);
            let (all, _) = split(&text);
            let (all, _, _) = own_words(all);
            let expected: usize = (0..shown)
                .flat_map(|rank| {
                    self.streams(sink)
                        .into_iter()
                        .map(move |stream| (rank, stream))
                })
                .map(|(rank, stream)| self.said_so_far(rank, stream).len())
                .sum();
            // Of a line that is too long parts may be there before its end.
            assert!(
                all.len() >= expected,
                "{} of {expected} lines on {sink:?} when it goes to sleep",
                all.len()
            );
        }
    }
}

/// Takes out clsh's own words, and the table at the end.
fn own_words(all: Vec<Vec<u8>>) -> (Vec<Vec<u8>>, Vec<String>, Vec<String>) {
    let is_head = |line: &Vec<u8>| line.starts_with(b"node") && line.ends_with(b"seconds  bytes");
    let text = |line: &Vec<u8>| String::from_utf8_lossy(line).into_owned();
    let head = all.iter().position(is_head).unwrap_or(all.len());
    let own = |line: &&Vec<u8>| line.starts_with(b"clsh: ") || line.starts_with(b"ERROR: ");
    let words = all.iter().filter(own).map(text).collect();
    let table = all[head..]
        .iter()
        .filter(|line| !own(line))
        .map(text)
        .collect();
    let lines = all[..head].iter().filter(|line| !own(line)).cloned();
    (lines.collect(), words, table)
}

/// Lines as they came, or in the order of the nodes.
fn lines(world: &World, sink: Stream, text: Vec<u8>, cut: bool) {
    let plan = &world.case.scenario.plan;
    let (all, whole) = split(&text);
    assert!(whole || cut, "an unfinished line is left on {sink:?}");
    let (all, words, table) = own_words(all);
    if !cut && (sink == Stream::Err) != plan.sinks.merged {
        words_are_true(world, &words, &table);
    }
    let by_line = matches!(plan.shape, Shape::Lines | Shape::Ordered);
    let streams = match by_line {
        true => world.streams(sink),
        false => Vec::new(),
    };
    if !plan.sinks.label {
        let expected: Vec<Vec<u8>> = (0..world.lives.len())
            .flat_map(|rank| {
                streams
                    .iter()
                    .flat_map(move |&stream| world.said(rank, stream))
            })
            .collect();
        follows(&all, &expected, cut, world.is_given_up(), sink);
        return;
    }
    let mut found: HashMap<(usize, usize), Vec<Vec<u8>>> = HashMap::new();
    let mut last = 0;
    for line in all {
        let (rank, text) = labelled(world, &line);
        assert!(
            plan.shape != Shape::Ordered || rank >= last,
            "n{rank} after n{last}"
        );
        last = rank;
        let stream = match streams[..] {
            [stream] => stream as usize,
            // What a signal cut off may stand before the mark.
            _ => *streams
                .iter()
                .find(|&&stream| {
                    let count = found.get(&(rank, stream as usize)).map_or(0, Vec::len);
                    let next = world.said(rank, stream).get(count).cloned();
                    next.as_deref() == Some(text)
                })
                .unwrap_or(&Stream::Out) as usize,
        };
        found.entry((rank, stream)).or_default().push(text.to_vec());
    }
    for rank in 0..world.lives.len() {
        for &stream in &streams {
            let expected = world.said(rank, stream);
            let shown = found.remove(&(rank, stream as usize)).unwrap_or_default();
            follows(&shown, &expected, cut, world.is_given_up(), sink);
        }
    }
    assert!(found.is_empty(), "nobody's lines on {sink:?}: {found:?}");
}

fn labelled<'a>(world: &World, line: &'a [u8]) -> (usize, &'a [u8]) {
    (0..world.lives.len())
        .find_map(|rank| {
            let text = line.strip_prefix(format!("n{rank}: ").as_bytes())?;
            Some((rank, text))
        })
        .unwrap_or_else(|| panic!("nobody's line: {}", shown(line)))
}

/// All of it; or a beginning where it was cut; or with gaps where it was given up.
fn follows(all: &[Vec<u8>], expected: &[Vec<u8>], cut: bool, gaps: bool, sink: Stream) {
    if !cut {
        let differ = all
            .iter()
            .zip(expected)
            .position(|(one, other)| one != other);
        let at = differ.unwrap_or(all.len().min(expected.len()));
        let text = |lines: &[Vec<u8>]| lines.get(at).map(|line| shown(line));
        assert!(
            all == expected,
            "line {at} on {sink:?} is {:?}, not {:?}",
            text(all),
            text(expected)
        );
        return;
    }
    if !gaps {
        assert!(expected.starts_with(all), "no beginning on {sink:?}");
        return;
    }
    let mut rest = expected.iter();
    let found = all.iter().all(|line| rest.any(|other| other == line));
    assert!(found, "lines in another order on {sink:?}");
}

/// clsh's own words: each node that needs it is told of once.
fn words_are_true(world: &World, words: &[String], table: &[String]) {
    let plan = &world.case.scenario.plan;
    let count = |start: String| words.iter().filter(|word| word.starts_with(&start)).count();
    for (rank, outcome) in world.engine.outcomes() {
        let said = count(format!("ERROR: n{rank} connection "));
        let how = match outcome {
            Outcome::Lost => "connection lost",
            _ => "connection failed",
        };
        assert_eq!(count(format!("ERROR: n{rank} {how}")), said);
        let expected = matches!(outcome, Outcome::Failed | Outcome::Lost);
        assert!(
            said == usize::from(expected),
            "{said} words about n{rank}, which is {outcome:?}"
        );
        let again = words
            .iter()
            .filter(|word| word.starts_with(&format!("clsh: n{rank}: ")))
            .filter(|word| word.contains("trying again"));
        let tries = world.lives[rank].len();
        let most = usize::from(plan.warn) * tries;
        let least = most.saturating_sub(1);
        let again = again.count();
        assert!(
            (least..=most).contains(&again),
            "{again} words about {tries} tries"
        );
    }
    let rows = if plan.summary {
        world.lives.len() + 1
    } else {
        0
    };
    assert_eq!(table.len(), rows, "rows of the table: {table:?}");
    for row in table.iter().skip(1) {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let rank: usize = cells[0][1..].parse().expect("a rank");
        let settled = world.engine.outcomes().find(|one| one.0 == rank);
        let (_, outcome) = settled.expect("a node");
        let status = match outcome {
            Outcome::Exited(status) => status.to_string(),
            other => other.word().to_owned(),
        };
        assert_eq!(cells[1..cells.len() - 3].join(" "), status, "{row}");
        let framed = matches!(plan.protocol, Protocol::Framed(_));
        let connected = cells[cells.len() - 3] != "-";
        let never = !framed || matches!(outcome, Outcome::Failed | Outcome::NotStarted);
        assert!(!connected || !never, "{row}");
        let bytes = cells[cells.len() - 1];
        if let (Some(life), true) = (world.lives[rank].last(), bytes != "-") {
            let all = life
                .delivered
                .iter()
                .map(|text| raw(text, world.secret()).len());
            assert_eq!(bytes, all.sum::<usize>().to_string(), "{row}");
        }
    }
}

/// The folded name of these ranks, in ascending order.
fn fold(ranks: &[usize]) -> String {
    if let [rank] = ranks {
        return format!("n{rank}");
    }
    let mut parts: Vec<(usize, usize)> = Vec::new();
    for &rank in ranks {
        match parts.last_mut() {
            Some(part) if part.1 + 1 == rank => part.1 = rank,
            _ => parts.push((rank, rank)),
        }
    }
    let parts: Vec<String> = parts
        .into_iter()
        .map(|(from, to)| match from == to {
            true => from.to_string(),
            false => format!("{from}-{to}"),
        })
        .collect();
    format!("n[{}] ({})", parts.join(","), ranks.len())
}

/// What a stream that was kept has to show, each line behind a mark.
fn marked(text: &[u8], mark: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in &split(text).0 {
        if line.is_empty() {
            out.extend_from_slice(mark);
            out.push(b'\n');
        }
        for piece in line.chunks(LINE_BYTES_MAX) {
            out.extend_from_slice(mark);
            out.extend_from_slice(piece);
            out.push(b'\n');
        }
    }
    out
}

struct Expected {
    said: [Vec<u8>; 2],
    outcome: Option<Outcome>,
    ranks: Vec<usize>,
}

fn expected_groups(world: &World, diff: bool) -> Vec<Expected> {
    let plan = &world.case.scenario.plan;
    let mut groups: Vec<Expected> = Vec::new();
    for (rank, outcome) in world.engine.outcomes() {
        let said = Stream::BOTH.map(|stream| {
            let mut text = Vec::new();
            // Of a node that was tried again only the last try counts.
            if let Some(life) = world.lives[rank].last() {
                if !plan.files[stream as usize] {
                    text.extend(raw(&life.delivered[stream as usize], world.secret()));
                }
                if text.last().is_some_and(|&last| last != b'\n') {
                    text.push(b'\n');
                }
            }
            text
        });
        let outcome = (outcome != Outcome::Ended).then_some(outcome);
        let same = |group: &&mut Expected| group.said == said && group.outcome == outcome;
        match groups.iter_mut().find(same) {
            Some(group) => group.ranks.push(rank),
            None => groups.push(Expected {
                said,
                outcome,
                ranks: vec![rank],
            }),
        }
    }
    // What is compared with nothing is a difference, but not what never ran to its end.
    let silent = |group: &Expected| group.said.iter().all(Vec::is_empty);
    let compared = diff && !groups.iter().all(silent);
    groups.retain(|group| {
        let ended = matches!(group.outcome, Some(Outcome::Exited(_)));
        !silent(group) || compared && ended
    });
    groups.sort_by_key(|group| (usize::MAX - group.ranks.len(), group.ranks[0]));
    groups
}

fn groups(world: &World, text: &[u8], diff: bool, cut: bool) {
    let groups = expected_groups(world, diff);
    let mut expected = Vec::new();
    let mut headers = Vec::new();
    for group in &groups {
        let mut name = fold(&group.ranks);
        match group.outcome {
            None => name.push_str(": unfinished"),
            Some(Outcome::Exited(status)) => {
                let alike = groups.iter().any(|other| {
                    other.said == group.said
                        && other.outcome != group.outcome
                        && matches!(other.outcome, Some(Outcome::Exited(_)))
                });
                if alike && status != 0 {
                    name.push_str(&format!(": exit {status}"));
                }
            }
            Some(outcome) => {
                name.push_str(": ");
                name.push_str(outcome.word());
            }
        }
        let rule = "-".repeat(15);
        let header = format!("{rule}\n{name}\n{rule}\n");
        expected.extend_from_slice(header.as_bytes());
        expected.extend(marked(&group.said[0], b""));
        expected.extend(marked(&group.said[1], b"stderr: "));
        headers.push((name, expected.len()));
    }
    if diff {
        // The first is whole, of all others the names stand in their order.
        let first = headers.first().map_or(0, |&(_, end)| end);
        let whole = text.starts_with(&expected[..first]);
        assert!(whole || cut, "the largest group");
        let mut rest = String::from_utf8_lossy(text).into_owned();
        for (name, _) in &headers {
            let header = format!("---------------\n{name}\n---------------\n");
            let at = rest.find(&header);
            assert!(at.is_some() || cut, "{name} is missing");
            rest.drain(..at.map_or(0, |at| at + header.len()));
        }
        return;
    }
    let equal = match cut {
        true => expected.starts_with(text) || world.is_given_up(),
        false => expected == text,
    };
    let at = text
        .iter()
        .zip(&expected)
        .position(|(one, other)| one != other);
    let at = at.unwrap_or(text.len().min(expected.len()));
    assert!(
        equal,
        "groups differ at {at}: {} instead of {}",
        shown(&text[at..]),
        shown(&expected[at..])
    );
}

/// One object a line; of each node all lines, then how it ended; at last how the run did.
fn objects(world: &World, text: &[u8], cut: bool) {
    let (all, whole) = split(text);
    assert!(whole || cut, "an unfinished object is left");
    let plan = &world.case.scenario.plan;
    let outcomes: HashMap<usize, Outcome> = world.engine.outcomes().collect();
    let mut said: HashMap<(usize, String), Vec<Vec<u8>>> = HashMap::new();
    let mut open: HashMap<(usize, String), Vec<u8>> = HashMap::new();
    let (mut gone, mut over) = (HashMap::new(), false);
    for line in &all {
        assert!(!over, "an object after the last one");
        let object: serde_json::Value = serde_json::from_slice(line)
            .unwrap_or_else(|error| panic!("{error} in {}", shown(line)));
        let rank = |object: &serde_json::Value| -> usize {
            object["node"].as_str().expect("a node")[1..]
                .parse()
                .expect("a rank")
        };
        match object["event"].as_str() {
            Some("end") => {
                over = true;
                let ok = outcomes.values().filter(|&&one| one == Outcome::Exited(0));
                let ok = ok.count();
                let verdict = world.last_word.expect("over");
                assert_eq!(object["status"], verdict.shell_status());
                assert_eq!(object["nodes"], world.lives.len());
                assert_eq!(object["ok"], ok);
                assert_eq!(object["failed"], world.lives.len() - ok);
            }
            Some("exit") => {
                let rank = rank(&object);
                let outcome = outcomes[&rank];
                assert_eq!(object["outcome"], outcome.word());
                match outcome {
                    Outcome::Ended | Outcome::NotStarted => assert!(object["status"].is_null()),
                    other => assert_eq!(object["status"], other.status()),
                }
                assert_eq!(gone.insert(rank, ()), None, "n{rank} ends twice");
            }
            Some(other) => panic!("an event {other}"),
            None => {
                let rank = rank(&object);
                assert!(!gone.contains_key(&rank), "n{rank} speaks after its end");
                let key = (
                    rank,
                    object["stream"].as_str().expect("a stream").to_owned(),
                );
                let text = match (object["line"].as_str(), object["base64"].as_str()) {
                    (Some(text), None) => text.as_bytes().to_vec(),
                    (None, Some(text)) => {
                        let standard = base64::engine::general_purpose::STANDARD;
                        let bytes = standard.decode(text).expect("base64");
                        assert!(std::str::from_utf8(&bytes).is_err(), "text in base64");
                        bytes
                    }
                    _ => panic!("no text in {}", shown(line)),
                };
                open.entry(key.clone()).or_default().extend(text);
                if object["more"].is_null() {
                    let line = open.remove(&key).unwrap_or_default();
                    said.entry(key).or_default().push(line);
                }
            }
        }
    }
    assert!(cut || over, "no object at the end");
    assert!(cut || gone.len() == outcomes.len(), "nodes without an end");
    assert!(cut || open.is_empty(), "more was to come");
    for rank in 0..world.lives.len() {
        for (stream, name) in Stream::BOTH.into_iter().zip(["stdout", "stderr"]) {
            let shown = said.remove(&(rank, name.to_owned())).unwrap_or_default();
            let expected = match plan.files[stream as usize] {
                true => Vec::new(),
                false => whole_lines(world, rank, stream),
            };
            follows(&shown, &expected, cut, world.is_given_up(), Stream::Out);
        }
    }
    assert!(said.is_empty(), "nobody's objects");
}

/// Lines however long they are.
fn whole_lines(world: &World, rank: usize, stream: Stream) -> Vec<Vec<u8>> {
    let of = |life: &Life| uncut(&life.delivered[stream as usize], world.secret());
    world.lives[rank].iter().flat_map(of).collect()
}
