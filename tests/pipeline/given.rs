//! What standard input may be, and who it belongs to: the nodes, the list of nodes, or with `-n` whoever started clsh.

use crate::gear::{Way, file, from_all, run_fed};
use crate::kit::{count, nap, text, through};
use crate::support::{clsh_with, run, scratch};
use std::fs::File;

#[test]
fn nostdin_leaves_a_loop_all_its_lines() {
    let place = scratch();
    let path = text(file(place.path(), "list", "a\nb\nc\n"));
    for way in Way::BOTH {
        for source in [
            format!("{{ {{LOOP}}; }} <{path}"),
            format!("cat {path} | {{LOOP}}"),
        ] {
            let around = "while read -r line; do \"$@\"; echo \"line $line\"; done";
            let around = source.replace("{LOOP}", around);
            for flag in ["-n", "--nostdin"] {
                let done = run(&mut through("sh", &around, &way.call("n1", &[flag], "cat")));
                assert_eq!(done.out(), "line a\nline b\nline c\n", "{way:?} {around}");
                assert_eq!((done.code(), done.err()), (0, String::new()));
            }
            // Without it the first clsh takes them all.
            let done = run(&mut through("sh", &around, &way.call("n1", &[], "cat")));
            assert_eq!(done.out(), "n1: b\nn1: c\nline a\n", "{way:?} {around}");
        }
    }
}

#[test]
fn nostdin_gives_the_commands_an_empty_input() {
    for way in Way::BOTH {
        let done = run_fed(
            &mut way.call("n[1-3]", &["-n"], "cat; echo end"),
            b"not for them\n",
        );
        assert_eq!(done.sorted(), from_all(3, "end"), "{way:?}");
        assert_eq!(done.code(), 0);
    }
}

#[test]
fn files_of_proc_without_a_size_arrive_whole() {
    let version = std::fs::read_to_string("/proc/version").expect("/proc/version");
    let count = std::fs::read_to_string("/proc/cpuinfo")
        .expect("/proc/cpuinfo")
        .lines()
        .filter(|line| line.starts_with("processor"))
        .count();
    for way in Way::BOTH {
        for fanout in ["3", "1"] {
            let mut call = way.call("n[1-3]", &["-f", fanout], "grep -c ^processor; true");
            let done = run(call.stdin(File::open("/proc/cpuinfo").expect("open")));
            assert_eq!(done.sorted(), from_all(3, &count.to_string()), "{way:?}");
            assert_eq!(done.code(), 0);
            let mut call = way.call("n[1-3]", &["-f", fanout], "cat");
            let done = run(call.stdin(File::open("/proc/version").expect("open")));
            assert_eq!(done.sorted(), from_all(3, version.trim_end()), "{way:?}");
        }
    }
}

#[test]
fn a_directory_is_refused_with_words_and_nothing_starts() {
    for way in Way::BOTH {
        let place = scratch();
        let started = text(place.path().join("started"));
        let mut call = way.call("n[1-2]", &[], &format!("echo >{started}"));
        let done = run(call.stdin(File::open(place.path()).expect("open")));
        assert_eq!((done.code(), done.out()), (2, String::new()), "{way:?}");
        let words = "clsh: standard input is a directory, which no command can read; ";
        assert!(done.err().starts_with(words), "{}", done.err());
        assert_eq!(done.err().lines().count(), 1);
        assert!(!std::path::Path::new(&started).exists());
        // Nobody wants to read it.
        let mut call = way.call("n[1-2]", &["-n"], "echo fine");
        let done = run(call.stdin(File::open(place.path()).expect("open")));
        assert_eq!((done.code(), done.sorted()), (0, from_all(2, "fine")));
    }
}

#[test]
fn a_hostfile_on_stdin_leaves_the_commands_an_empty_input() {
    let place = scratch();
    let list: String = (1..=3).map(|n| format!("n{n}\n")).collect();
    let path = file(place.path(), "list", &list);
    for transport in ["exec", crate::gear::REMOTE] {
        let call = || {
            let mut call = clsh_with(["--hostfile", "-", "-R", transport]);
            match transport {
                "exec" => call.args(["sh", "-c", "cat; echo end"]),
                _ => call.arg("cat; echo end"),
            };
            call
        };
        for done in [
            run_fed(&mut call(), list.as_bytes()),
            run(call().stdin(File::open(&path).expect("open"))),
        ] {
            assert_eq!(done.sorted(), from_all(3, "end"), "{transport}");
            assert_eq!((done.code(), done.err()), (0, String::new()));
        }
    }
}

#[test]
fn an_input_that_cannot_be_read_ends_the_run_with_words() {
    // Reading the memory of a process at 0 fails, and only there.
    let nap = nap();
    for way in Way::BOTH {
        let mut call = way.call("n[1-2]", &[], &format!("exec sleep {nap}"));
        let done = run(call.stdin(File::open("/proc/self/mem").expect("open")));
        assert_eq!(done.code(), 255, "{way:?}: {}", done.err());
        let words = "clsh: cannot read standard input: ";
        assert!(done.err().contains(words), "{}", done.err());
        crate::support::wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}
