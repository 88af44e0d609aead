//! Frames: wherever reads cut them, and wherever a node dies in them, none is ever shown and each is understood.

use super::script::{Actor, Scenario, Step, frame, nonce, wait};
use super::turn::run;
use clsh::engine::{Exit, Protocol};
use clsh::outcome::Outcome;
use clsh::output::Stream;

fn framed(script: Vec<Step>) -> Scenario {
    Scenario::calm(Protocol::Framed(nonce()), vec![Actor::new(script)])
}

/// Everything a node says on both streams.
fn speech() -> [Vec<u8>; 2] {
    let frame = |words| frame(nonce().as_str(), words);
    let out = [&b"one\nno newline"[..], &frame("exit 7")].concat();
    let err = [frame("hello 4711"), b"\x1eword\n".to_vec(), frame("exit 7")].concat();
    [out, err]
}

/// Writes with a read after each.
fn cut_at(bytes: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
    let ends = cuts.iter().copied().chain([bytes.len()]);
    let starts = [0].into_iter().chain(cuts.iter().copied());
    starts
        .zip(ends)
        .map(|(from, to)| bytes[from..to].to_vec())
        .collect()
}

fn script(out: Vec<Vec<u8>>, err: Vec<Vec<u8>>, exit: Exit) -> Vec<Step> {
    let writes = |stream, pieces: Vec<Vec<u8>>| {
        let write = move |piece| [Step::Write(stream, piece), wait(1)];
        pieces.into_iter().flat_map(write)
    };
    let mut steps: Vec<Step> = writes(Stream::Out, out).collect();
    steps.extend(writes(Stream::Err, err));
    steps.push(Step::Exit(exit));
    steps
}

#[test]
fn frames_cut_at_every_byte_are_never_shown() {
    let [out, err] = speech();
    let bytewise = |bytes: &[u8]| cut_at(bytes, &(1..bytes.len()).collect::<Vec<_>>());
    let mut ways = vec![(bytewise(&out), bytewise(&err))];
    for cut in 1..out.len().max(err.len()) {
        for second in [0, 1, 7] {
            let cuts = |bytes: &[u8]| {
                let mut cuts = vec![cut.min(bytes.len()), (cut + second).min(bytes.len())];
                cuts.dedup();
                cut_at(bytes, &cuts)
            };
            ways.push((cuts(&out), cuts(&err)));
        }
    }
    for (out, err) in ways {
        let record = run(&framed(script(out, err, Exit::Code(7))));
        assert_eq!(record.outcomes, [Outcome::Exited(7)]);
        assert_eq!(record.shown[0], b"n0: one\nn0: no newline\n");
        assert!(record.shown[1].starts_with(b"n0: \x1eword\nclsh: "));
    }
}

#[test]
fn half_a_frame_of_a_node_that_died_is_not_shown_and_says_nothing() {
    let [out, err] = speech();
    for length in 0..=err.len() {
        let pieces = vec![err[..length].to_vec()];
        let record = run(&framed(script(vec![], pieces, Exit::Signal(9))));
        let hello = err.iter().position(|&byte| byte == b'\n').expect("a hello");
        let expected = match length {
            _ if length <= hello => Outcome::Failed,
            _ if length < err.len() => Outcome::Lost,
            _ => Outcome::Exited(7),
        };
        assert_eq!(record.outcomes, [expected], "{length} bytes");
        let nonce = nonce();
        let shown = String::from_utf8_lossy(&record.shown[1]);
        assert!(!shown.contains(&nonce.as_str()[..8]), "{shown}");
    }
    for length in 0..out.len() {
        let pieces = vec![out[..length].to_vec()];
        let hello = vec![err[..51].to_vec()];
        let record = run(&framed(script(pieces, hello, Exit::Code(255))));
        assert_eq!(record.outcomes, [Outcome::Lost]);
        assert!(!record.shown[0].contains(&0x1e), "cut at {length}");
    }
}

#[test]
fn what_only_looks_like_a_frame_is_shown() {
    let [_, err] = speech();
    let almost = [
        frame(&"00".repeat(16), "exit 0"),
        frame(nonce().as_str(), "exit 256"),
        frame(nonce().as_str(), "leave 0"),
    ]
    .concat();
    let record = run(&framed(script(
        vec![almost.clone(), b"last\n".to_vec()],
        vec![err],
        Exit::Code(7),
    )));
    let lines = almost.split_inclusive(|&byte| byte == b'\n');
    let mut expected: Vec<u8> = lines.flat_map(|line| [b"n0: ", line].concat()).collect();
    expected.extend_from_slice(b"n0: last\n");
    assert_eq!(record.shown[0], expected);
    assert_eq!(record.outcomes, [Outcome::Exited(7)]);
}
