//! Every feature of a pipeline together with every bad end: the status is right, nothing is left running, and no file is left behind.

use crate::gear::{REMOTE, await_file, names};
use crate::kit::{Held, TERM, count, nap, text};
use crate::support::{clsh_with, scratch, wait_until};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// How a run is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Signal,
    ClosedStdout,
    LostNode,
}

/// A feature: its flags, and whether the commands are given more input than fits into memory.
struct Feature {
    flags: &'static [&'static str],
    fed: bool,
}

const FEATURES: [Feature; 13] = [
    feature(&["-b"]),
    feature(&["-b", "--diff"]),
    feature(&["-L"]),
    feature(&["--json"]),
    feature(&["--out", "dir"]),
    feature(&["--out", "dir", "--err", "dir", "-b"]),
    feature(&["--summary"]),
    feature(&["--failed", "failed"]),
    feature(&["-k"]),
    feature(&["--retries", "2"]),
    Feature {
        flags: &[],
        fed: true,
    },
    Feature {
        flags: &["-b", "--retries", "2"],
        fed: true,
    },
    Feature {
        flags: &["--json", "--summary", "--failed", "failed", "-k"],
        fed: true,
    },
];

const fn feature(flags: &'static [&'static str]) -> Feature {
    Feature { flags, fed: false }
}

/// Three nodes that say something and sleep, a fourth that waits for its turn; n2 may lose its connection when the others are up.
fn call(feature: &Feature, end: End, place: &Path, nap: &str) -> Command {
    let up = |name: &str| await_file(&place.join(name));
    let lost = match end {
        End::LostNode => format!("{}; {}; kill -9 $PPID", up("n1"), up("n3")),
        _ => ":".into(),
    };
    let mut call = clsh_with(["-h", "n[1-4]", "-f", "3", "-R", REMOTE]);
    call.args(feature.flags)
        .arg(format!(
            "echo up $CLSH_HOST; echo err >&2; [ $CLSH_HOST != n2 ] || {{ {lost}; }}; echo >$CLSH_HOST; sleep {nap}"
        ))
        .current_dir(place)
        .env("TMPDIR", place.join("tmp"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    call
}

fn ends_well(feature: &Feature, end: End) {
    let what = format!("{:?} {} {end:?}", feature.flags, feature.fed);
    let (nap, place) = (nap(), scratch());
    let at = |name: &str| place.path().join(name);
    fs::create_dir(at("tmp")).expect("a directory");
    let mut held = Held::start(&mut call(feature, end, place.path(), &nap));
    let mut stdin = held.0.stdin.take().expect("piped");
    let feeder = std::thread::spawn(move || {
        // Nobody reads it: it fills the pipes of the nodes, and what is read ahead.
        let _ = stdin.write_all(&vec![b'x'; 2 << 20]);
    });
    let (out, err) = (
        held.0.stdout.take().expect("piped"),
        held.0.stderr.take().expect("piped"),
    );
    let said = std::thread::spawn(move || crate::kit::read_all(err));
    let mut reader = None;
    let before: &[&str] = match end {
        End::LostNode => &["n1", "n3"],
        _ => &["n1", "n2", "n3"],
    };
    wait_until(&format!("{what}: nodes that are up"), || {
        before.iter().all(|name| at(name).exists())
    });
    match end {
        End::ClosedStdout => drop(out),
        End::Signal | End::LostNode => {
            reader = Some(std::thread::spawn(move || crate::kit::read_all(out)))
        }
    }
    if end == End::Signal {
        held.signal(TERM);
    }
    let wanted = match end {
        End::Signal => 143,
        End::ClosedStdout => 141,
        End::LostNode => 255,
    };
    assert_eq!(held.wait(), wanted, "{what}");
    wait_until(&format!("{what}: nothing left running"), || {
        count(&["sleep", &nap]) == 0
    });
    assert_eq!(names(&at("tmp")), [""; 0], "{what}");
    feeder.join().expect("the feeder");
    let err = String::from_utf8(said.join().expect("stderr")).expect("text");
    if end == End::LostNode {
        assert_eq!(
            err.matches("ERROR: n2 connection lost\n").count(),
            1,
            "{what}: {err}"
        );
    }
    let flags = feature.flags;
    if let Some(reader) = reader {
        let out = String::from_utf8(reader.join().expect("stdout")).expect("text");
        for node in ["n1", "n2", "n3"] {
            let said = format!("up {node}");
            let filed = fs::read_to_string(at(&format!("dir/{node}.out"))).unwrap_or_default();
            let (there, elsewhere) = if flags.contains(&"--out") {
                (&filed, &out)
            } else {
                (&out, &filed)
            };
            let times = there.matches(&said).count();
            // A difference names what it takes away once more.
            assert!(
                times == 1 || times > 1 && flags.contains(&"--diff"),
                "{what}: {out}"
            );
            assert!(!elsewhere.contains(&said), "{what}: {out}");
        }
        if flags.contains(&"--json") {
            let last = out.lines().last().expect("an end");
            assert!(
                last.starts_with(&format!(
                    "{{\"event\":\"end\",\"status\":{wanted},\"nodes\":4,\"ok\":0,"
                )),
                "{last}"
            );
            assert_eq!(out.matches("\"event\":\"exit\"").count(), 4, "{out}");
        }
    }
    if flags.contains(&"--summary") && end != End::ClosedStdout {
        assert!(
            err.contains("node  ") && err.contains("n4    not started"),
            "{what}: {err}"
        );
    }
    if flags.contains(&"--failed") {
        let failed = fs::read_to_string(at("failed")).expect("there");
        assert_eq!(failed, "n1\nn2\nn3\nn4\n", "{what}");
    }
}

#[test]
fn a_signal_ends_a_run_with_any_feature() {
    FEATURES
        .iter()
        .for_each(|feature| ends_well(feature, End::Signal));
}

#[test]
fn a_closed_stdout_ends_a_run_with_any_feature_that_prints_there() {
    FEATURES
        .iter()
        .filter(|feature| !feature.flags.contains(&"--out"))
        .for_each(|feature| ends_well(feature, End::ClosedStdout));
}

#[test]
fn a_lost_node_ends_a_run_with_any_feature() {
    // The far side looks for its connection once a second: a few of them wait at the same time.
    std::thread::scope(|scope| {
        for some in FEATURES.chunks(4) {
            scope.spawn(|| {
                some.iter()
                    .for_each(|feature| ends_well(feature, End::LostNode))
            });
        }
    });
}

#[test]
fn a_kept_input_leaves_no_file_however_the_run_ends() {
    // One after the other: here the input has to be kept.
    for signal in [TERM, crate::kit::QUIT, crate::kit::KILL] {
        let (nap, place) = (nap(), scratch());
        fs::create_dir(place.path().join("tmp")).expect("a directory");
        let tmp = place.path().join("tmp");
        let mut call = clsh_with(["-h", "n[1-2]", "-f", "1", "-R", REMOTE]);
        call.arg(format!("head -c 2000000 >/dev/null; sleep {nap}; true"))
            .env("TMPDIR", &tmp);
        let (running, writer) = crate::gear::start_fed(&mut call, &vec![b'x'; 2_000_000]);
        wait_until("a file", || crate::gear::unnamed(running.pid(), &tmp) == 1);
        wait_until("a node", || count(&["sleep", &nap]) == 1);
        running.signal(signal);
        assert_eq!(running.finish().code(), 128 + signal, "{}", text(&tmp));
        writer.join();
        assert_eq!(names(&tmp), [""; 0]);
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn a_run_whose_commands_are_gone_does_not_wait_for_the_far_side() {
    // The grace of the far side is longer than this test's patience.
    for _ in 0..8 {
        let nap = nap();
        let mut call = clsh_with(["-h", "n[1-2]", "-R", REMOTE, "--kill-after", "90"]);
        call.arg(format!("echo up; exec sleep {nap}"));
        let script = r#""$@" | head -n 1; exit "${PIPESTATUS[0]}""#;
        let done = crate::support::run(&mut crate::kit::through("bash", script, &call));
        assert_eq!((done.code(), done.err()), (141, String::new()));
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}
