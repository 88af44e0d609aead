//! A low limit on open files slows a run down; it never breaks it.

use crate::kit::{exec, through};
use crate::support::run;
use std::process::{Command, Stdio};

fn names(count: usize) -> Vec<String> {
    let mut names: Vec<String> = (1..=count).map(|n| format!("n{n}: n{n}")).collect();
    names.sort();
    names
}

#[test]
fn three_hundred_nodes_answer_under_a_limit_of_64_open_files() {
    let script = r#"ulimit -n 64; exec "$@""#;
    let done = run(&mut through(
        "sh",
        script,
        &exec("n[1-300]", ["-f", "500", "echo", "%h"]),
    ));
    assert_eq!(done.sorted(), names(300));
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn verbose_tells_once_that_the_limit_caps_the_window() {
    let script = r#"ulimit -n 64; exec "$@""#;
    let call = exec("n[1-40]", ["-v", "-f", "500", "true"]);
    let done = run(&mut through("sh", script, &call));
    let err = done.err();
    let told: Vec<&str> = err.lines().filter(|line| line.contains("ulimit")).collect();
    assert_eq!(told.len(), 1, "{err}");
    assert!(told[0].contains("instead of 40"), "{err}");
    assert_eq!(done.code(), 0);
}

#[test]
fn the_soft_limit_is_raised_for_clsh_and_children_get_the_original_back() {
    let script = r#"ulimit -Sn 40; exec "$@""#;
    let call = exec(
        "n[1-100]",
        ["-v", "-f", "100", "sh", "-c", "ulimit -Sn; ulimit -Hn"],
    );
    let done = run(&mut through("sh", script, &call));
    assert!(!done.err().contains("ulimit"), "{}", done.err());
    let soft = done
        .out()
        .lines()
        .filter(|line| line.ends_with(": 40"))
        .count();
    assert_eq!((done.code(), soft), (0, 100), "{}", done.out());
}

#[test]
fn a_thousand_nodes_print_every_line() {
    let script = "i=0; while [ $i -lt 5 ]; do echo %h line $i; i=$((i+1)); done";
    let done = run(&mut exec("n[1-1000]", ["-f", "256", "sh", "-c", script]));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let mut next = vec![0; 1001];
    for line in done.out().lines() {
        let (label, text) = line.split_once(": ").expect("a label");
        let node: usize = label[1..].parse().expect("a number");
        assert_eq!(text, format!("{label} line {}", next[node]));
        next[node] += 1;
    }
    assert!(next[1..].iter().all(|&lines| lines == 5));
}

#[test]
fn no_more_nodes_than_the_fanout_run_at_once() {
    let directory = crate::support::scratch();
    // Each node counts those that are up beside it.
    let script = "touch up.%n; ls | wc -l; sleep 0.05; rm up.%n";
    let done = run(exec("n[1-40]", ["-f", "3", "sh", "-c", script]).current_dir(directory.path()));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let most = done
        .out()
        .lines()
        .filter_map(|line| line.rsplit(' ').next()?.parse::<u32>().ok())
        .max();
    assert!(most.is_some_and(|most| (1..=3).contains(&most)), "{most:?}");
}

#[test]
fn children_hold_nothing_open_but_their_streams_and_what_clsh_was_given() {
    // Opened by a program of its own, so that a shell's own descriptors are not among them.
    let words = ["sh", "-c", "exec ls /proc/self/fd"];
    let mut plain = Command::new(words[0]);
    let given = run(plain.args(&words[1..]).stdin(Stdio::null())).sorted();
    let mut wanted: Vec<String> = given.iter().map(|fd| format!("n1: {fd}")).collect();
    wanted.extend((2..=20).flat_map(|n| given.iter().map(move |fd| format!("n{n}: {fd}"))));
    wanted.sort();
    let done = run(&mut exec("n[1-20]", words));
    assert_eq!(done.sorted(), wanted);
}

#[test]
fn under_any_limit_on_open_files_all_nodes_answer_or_none_is_started_and_clsh_says_why() {
    let mut answered = Vec::new();
    for limit in [9, 12, 20, 24] {
        let script = format!(r#"ulimit -n {limit}; exec "$@""#);
        let done = run(&mut through(
            "sh",
            &script,
            &exec("n[1-30]", ["echo", "%h"]),
        ));
        if done.code() == 0 {
            assert_eq!(done.sorted(), names(30), "limit {limit}");
            answered.push(limit);
        } else {
            let err = done.err();
            assert_eq!(done.out(), "", "limit {limit}: {err}");
            assert!(err.contains("Too many open files"), "limit {limit}: {err}");
        }
    }
    assert!(answered.contains(&24), "{answered:?}");
}
