//! JSON lines: what a node said and what became of it, one object a line, for programs that read on.
//!
//! RFC 8259. Text that is not UTF-8 can't be in a JSON string; it goes out in base64 (RFC 4648), so that no byte is lost.

use super::Stream;
use crate::harmless::Gate;
use crate::outcome::Outcome;
use crate::seconds;
use std::time::Duration;

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// All nodes.
    pub nodes: usize,
    /// Nodes whose command ended with status 0.
    pub ok: usize,
    /// All others, whatever became of them.
    pub failed: usize,
}

impl Counts {
    /// Of these nodes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.nodes += 1;
            match outcome {
                Outcome::Exited(0) => counts.ok += 1,
                _ => counts.failed += 1,
            }
        }
        counts
    }
}

/// What stands before each line of a node on this stream, an object up to its text: `{"node":"n1","stream":"stdout",`.
pub fn prefix(label: &str, stream: Stream) -> Box<[u8]> {
    let mut out = b"{\"node\":\"".to_vec();
    escape(label.as_bytes(), &mut out);
    out.extend_from_slice(match stream {
        Stream::Out => b"\",\"stream\":\"stdout\",",
        Stream::Err => b"\",\"stream\":\"stderr\",",
    });
    out.into()
}

/// Appends one line of a node, newline not included, as an object and a newline. `more`: the line goes on in the next object.
pub fn line(prefix: &[u8], text: &[u8], more: bool, out: &mut Vec<u8>) {
    // Enough for the words around it and text without escapes.
    out.reserve(prefix.len() + text.len() + 32);
    out.extend_from_slice(prefix);
    if std::str::from_utf8(text).is_ok() {
        out.extend_from_slice(b"\"line\":\"");
        escape(text, out);
    } else {
        out.extend_from_slice(b"\"base64\":\"");
        base64(text, out);
    }
    out.extend_from_slice(if more {
        b"\",\"more\":true}\n"
    } else {
        b"\"}\n"
    });
}

/// Escapes what RFC 8259 lets pass and a terminal may obey, or be deceived by, in the objects from byte `from` on.
pub fn harmless(out: &mut Vec<u8>, from: usize) {
    let text = String::from_utf8_lossy(&out[from..]);
    let mut gate = Gate::default();
    let mut escaped = |c: char| c != '\n' && !gate.passes(c);
    if text.is_ascii() && !text.contains('\x7f') || !text.contains(&mut escaped) {
        return;
    }
    let mut gate = Gate::default();
    let mut escape = |c: char| match c == '\n' || gate.passes(c) {
        true => c.to_string(),
        // Beyond 16 bits by a pair (RFC 8259, 7).
        false => c
            .encode_utf16(&mut [0; 2])
            .iter()
            .map(|unit| format!("\\u{unit:04x}"))
            .collect(),
    };
    let text: String = text.chars().map(&mut escape).collect();
    out.truncate(from);
    out.extend_from_slice(text.as_bytes());
}

/// What became of a node: `{"node":"n1","event":"exit","status":7,"outcome":"exited","seconds":0.013}`. The status is null where the
/// run ended before the node did. `"connect_seconds":0.4` says how long it took until the hello of a node that said one.
pub fn exit(label: &str, outcome: Outcome, took: Duration, connected: Option<Duration>) -> Vec<u8> {
    let status = match outcome {
        Outcome::Ended | Outcome::NotStarted => "null".to_owned(),
        _ => outcome.status().to_string(),
    };
    let mut out = b"{\"node\":\"".to_vec();
    escape(label.as_bytes(), &mut out);
    let connected = connected.map_or_else(String::new, |time| {
        format!("\"connect_seconds\":{},", seconds(time))
    });
    let rest = format!(
        "\",\"event\":\"exit\",\"status\":{status},\"outcome\":\"{}\",{connected}\"seconds\":{}}}\n",
        outcome.word(),
        seconds(took)
    );
    out.extend_from_slice(rest.as_bytes());
    out
}

/// The last object of a run: `{"event":"end","status":7,"nodes":4,"ok":3,"failed":1,"seconds":0.02}`.
pub fn end(status: u8, counts: Counts, took: Duration) -> Vec<u8> {
    let Counts { nodes, ok, failed } = counts;
    let seconds = seconds(took);
    format!(
        "{{\"event\":\"end\",\"status\":{status},\"nodes\":{nodes},\"ok\":{ok},\"failed\":{failed},\"seconds\":{seconds}}}\n"
    )
    .into_bytes()
}

/// At most three decimals: the clock is read once per turn, more would be noise.
fn seconds(time: Duration) -> String {
    seconds::short(time, 3)
}

/// Appends UTF-8 as the inside of a JSON string.
fn escape(mut text: &[u8], out: &mut Vec<u8>) {
    loop {
        let (plain, rest) = text.split_at(plain(text));
        out.extend_from_slice(plain);
        let Some((&byte, rest)) = rest.split_first() else {
            return;
        };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\x08' => out.extend_from_slice(b"\\b"),
            b'\x0c' => out.extend_from_slice(b"\\f"),
            _ => {
                let digit = |value: u8| b"0123456789abcdef"[usize::from(value & 0xf)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte)]);
            }
        }
        text = rest;
    }
}

/// How many bytes at the beginning need no escape.
///
/// Eight at a time, as one number: lines of 200 bytes take 0.73 of the time of a table byte by byte, those of 20 bytes 0.87, JSON in
/// JSON 0.89. Sixteen or 32 by vector are faster still on plain text and slower than the table where escapes are close together.
fn plain(text: &[u8]) -> usize {
    const STEP: usize = size_of::<u64>();
    let mut at = 0;
    while let Some(&bytes) = text[at..].first_chunk::<STEP>() {
        let found = special(u64::from_le_bytes(bytes));
        if found != 0 {
            return at + (found.trailing_zeros() / u8::BITS) as usize;
        }
        at += STEP;
    }
    let is_special = |&byte: &u8| byte < b' ' || byte == b'"' || byte == b'\\';
    let rest = &text[at..];
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The highest bit of each byte that needs an escape, exact for the lowest such byte only: a subtraction borrows from the bytes above.
fn special(bytes: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHEST: u64 = ONES << 7;
    let below = |bytes: u64, limit: u8| bytes.wrapping_sub(ONES * u64::from(limit)) & !bytes;
    let equal = |byte: u8| below(bytes ^ (ONES * u64::from(byte)), 1);
    (below(bytes, b' ') | equal(b'"') | equal(b'\\')) & HIGHEST
}

/// Appends bytes in base64, padded.
fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    out.reserve(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        let digit = |at: usize| {
            if at > chunk.len() {
                b'='
            } else {
                DIGITS[(bits >> (18 - 6 * at)) as usize & 0x3f]
            }
        };
        out.extend_from_slice(&[digit(0), digit(1), digit(2), digit(3)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_a_terminal_no_control_is_left() {
        let mut out = b"\x7f".to_vec();
        line(
            &prefix("n1", Stream::Out),
            "a\u{9b}31m\x7f\u{a0}ü\x1b".as_bytes(),
            false,
            &mut out,
        );
        harmless(&mut out, 1);
        let text = String::from_utf8_lossy(&out[1..]).into_owned();
        let object: serde_json::Value = serde_json::from_str(&text).expect("an object");
        assert_eq!(object["line"], "a\u{9b}31m\x7f\u{a0}ü\x1b");
        assert!(text.trim_end().chars().all(|c| !c.is_control()), "{text}");
    }
    use ::base64::Engine;
    use ::base64::prelude::BASE64_STANDARD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const ALL: [Outcome; 7] = [
        Outcome::Exited(0),
        Outcome::Exited(7),
        Outcome::TimedOut,
        Outcome::Failed,
        Outcome::Lost,
        Outcome::Ended,
        Outcome::NotStarted,
    ];

    fn shown(label: &str, stream: Stream, text: &[u8], more: bool) -> Vec<u8> {
        let mut out = Vec::new();
        line(&prefix(label, stream), text, more, &mut out);
        out
    }

    /// One object, and one line.
    #[track_caller]
    fn read(object: &[u8]) -> Value {
        let (last, object) = object.split_last().expect("not empty");
        assert_eq!(*last, b'\n');
        assert!(!object.contains(&b'\n'), "{}", object.escape_ascii());
        serde_json::from_slice(object)
            .unwrap_or_else(|error| panic!("{}: {error}", object.escape_ascii()))
    }

    #[track_caller]
    fn comes_back(label: &str, stream: Stream, text: &[u8], more: bool) {
        let mut expected = json!({
            "node": label,
            "stream": if stream == Stream::Out { "stdout" } else { "stderr" },
        });
        match str::from_utf8(text) {
            Ok(text) => expected["line"] = text.into(),
            Err(_) => expected["base64"] = BASE64_STANDARD.encode(text).into(),
        }
        if more {
            expected["more"] = true.into();
        }
        assert_eq!(read(&shown(label, stream, text, more)), expected);
    }

    #[test]
    fn a_line_is_an_object() {
        for (text, object) in [
            (
                &b"a b"[..],
                r#"{"node":"n1","stream":"stdout","line":"a b"}"#,
            ),
            (b"", r#"{"node":"n1","stream":"stdout","line":""}"#),
            (
                b"\xff\xfe",
                r#"{"node":"n1","stream":"stdout","base64":"//4="}"#,
            ),
        ] {
            let out = shown("n1", Stream::Out, text, false);
            assert_eq!(String::from_utf8_lossy(&out), format!("{object}\n"));
        }
        let out = shown("n1", Stream::Err, b"a", true);
        let object = r#"{"node":"n1","stream":"stderr","line":"a","more":true}"#;
        assert_eq!(String::from_utf8_lossy(&out), format!("{object}\n"));
    }

    #[test]
    fn it_is_appended() {
        let mut out = b"before\n".to_vec();
        line(&prefix("n1", Stream::Out), b"a", false, &mut out);
        assert!(out.starts_with(b"before\n{\"node\":"));
    }

    #[test]
    fn only_what_must_be_escaped_is() {
        let mut out = Vec::new();
        escape(
            "\"\\/\0\x07\x08\t\n\x0b\x0c\r\x1b\x1f \x7fé\u{2028}\u{2029}😀".as_bytes(),
            &mut out,
        );
        assert_eq!(
            String::from_utf8_lossy(&out),
            "\\\"\\\\/\\u0000\\u0007\\b\\t\\n\\u000b\\f\\r\\u001b\\u001f \x7fé\u{2028}\u{2029}😀"
        );
    }

    #[test]
    fn every_byte_is_judged_alike_wherever_it_stands() {
        for byte in 0..=u8::MAX {
            let stops = byte < 0x20 || byte == b'"' || byte == b'\\';
            for length in 1..20 {
                for at in 0..length {
                    for around in [b'a', 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa0, 0xff] {
                        let mut text = vec![around; length];
                        text[at] = byte;
                        let expected = if stops { at } else { length };
                        assert_eq!(plain(&text), expected, "{}", text.escape_ascii());
                    }
                }
            }
        }
    }

    #[test]
    fn base64_is_padded() {
        // The vectors of RFC 4648.
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            let mut out = Vec::new();
            base64(bytes.as_bytes(), &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
        }
    }

    #[test]
    fn what_became_of_a_node() {
        let out = exit(
            "n1",
            Outcome::Exited(7),
            Duration::from_micros(12_999),
            None,
        );
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"node\":\"n1\",\"event\":\"exit\",\"status\":7,\"outcome\":\"exited\",\"seconds\":0.013}\n"
        );
        let connected = Some(Duration::from_micros(3_200));
        let out = exit(
            "n1",
            Outcome::Exited(0),
            Duration::from_millis(13),
            connected,
        );
        let object = read(&out);
        assert_eq!(object["connect_seconds"], json!(0.003));
        assert_eq!(object["seconds"], json!(0.013));
        let told = ALL.map(|outcome| {
            let object = read(&exit("n1", outcome, Duration::ZERO, None));
            (object["status"].clone(), object["outcome"].clone())
        });
        let expected = [
            (json!(0), "exited"),
            (json!(7), "exited"),
            (json!(124), "timed out"),
            (json!(255), "connection failed"),
            (json!(255), "connection lost"),
            (Value::Null, "terminated"),
            (Value::Null, "not started"),
        ];
        assert_eq!(told, expected.map(|(status, word)| (status, json!(word))));
    }

    #[test]
    fn the_end_counts_every_outcome_but_success_as_failed() {
        let counts = Counts::of(ALL);
        let expected = Counts {
            nodes: 7,
            ok: 1,
            failed: 6,
        };
        assert_eq!(counts, expected);
        let out = end(7, counts, Duration::from_micros(20_400));
        assert_eq!(
            String::from_utf8_lossy(&out),
            "{\"event\":\"end\",\"status\":7,\"nodes\":7,\"ok\":1,\"failed\":6,\"seconds\":0.02}\n"
        );
    }

    proptest! {
        #[test]
        fn lines_come_back(
            label in any::<String>(),
            err in any::<bool>(),
            text in any::<String>(),
            more in any::<bool>(),
        ) {
            comes_back(&label, Stream::BOTH[usize::from(err)], text.as_bytes(), more);
        }

        #[test]
        fn escapes_close_together_come_back(text in "[a\"\\\\\0-\x1fé]{0,60}") {
            comes_back("n1", Stream::Out, text.as_bytes(), false);
        }

        #[test]
        fn bytes_come_back(
            label in "[a-zä-ü表\"]{1,9}",
            text in prop::collection::vec(any::<u8>(), 0..60),
            more in any::<bool>(),
        ) {
            comes_back(&label, Stream::Err, &text, more);
        }

        #[test]
        fn seconds_are_a_number_with_three_decimals_at_most(
            seconds in prop_oneof![0..100_u64, any::<u64>()],
            nanos in 0..1_000_000_000_u32,
            label in any::<String>(),
        ) {
            let took = Duration::new(seconds, nanos);
            let object = exit(&label, Outcome::Exited(0), took, None);
            prop_assert_eq!(&read(&object)["node"], &json!(label));
            let number = read(&object)["seconds"].as_f64().unwrap_or(f64::NAN);
            let error = (number - took.as_secs_f64()).abs();
            prop_assert!(error <= 0.000_501_f64.max(took.as_secs_f64() * 1e-15), "{error}");
            let text = String::from_utf8_lossy(&object);
            let digits = text.rsplit(':').next().unwrap_or_default().trim_end_matches("}\n");
            let decimals = digits.split('.').nth(1).unwrap_or_default();
            prop_assert!(decimals.len() <= 3, "{digits}");
        }
    }
}
