//! `--summary` and `--failed`: what became of each node, for eyes and for the next call. `--pick`: which nodes at all.

use crate::gear::{REMOTE, Way, call, file, on_small_disk};
use crate::kit::{TERM, count, nap, text, through};
use crate::support::{clsh_with, run, scratch, start, wait_until};
use std::fs;

/// The rows of a table on stderr below its head, without the columns of seconds: node, status, bytes.
fn rows(err: &str) -> Vec<[String; 3]> {
    let mut lines = err.lines().skip_while(|line| !line.starts_with("node "));
    let head: Vec<&str> = lines.next().expect("a table").split_whitespace().collect();
    assert_eq!(head, ["node", "status", "connect", "seconds", "bytes"]);
    lines
        .take_while(|line| !line.starts_with("clsh: "))
        .map(|line| {
            let cells: Vec<&str> = line
                .split("  ")
                .map(str::trim)
                .filter(|cell| !cell.is_empty())
                .collect();
            let [node, status, connect, seconds, bytes] = cells[..] else {
                panic!("{line}");
            };
            let measured = seconds.parse::<f64>().is_ok() == bytes.parse::<u64>().is_ok();
            assert!(measured && (bytes == "-") == (seconds == "-"), "{line}");
            let connected = connect.parse::<f64>().ok();
            assert!(connected.is_some() || connect == "-", "{line}");
            assert!(connected <= seconds.parse().ok(), "{line}");
            [node, status, bytes].map(str::to_owned)
        })
        .collect()
}

#[test]
fn the_summary_is_a_table_on_stderr_failures_first() {
    let script = "case $h in n1) echo four; printf six >&2;; n2) exit 3;; n3) ;; n4) echo; exit 200;; n10) exit 3;; esac";
    for way in Way::BOTH {
        let done = run(&mut way.call("n[1-4,10]", &["--summary"], script));
        let wanted = [
            ["n4", "200", "1"],
            ["n2", "3", "0"],
            ["n10", "3", "0"],
            ["n1", "0", "8"],
            ["n3", "0", "0"],
        ];
        assert_eq!(rows(&done.err()), wanted, "{way:?}");
        assert_eq!(done.sorted(), ["n1: four", "n4: "]);
        // What needs attention is still named below, and a table of nothing bad is a table.
        let last =
            "clsh: n[2,10] (2): exited with exit code 3\nclsh: n4: exited with exit code 200\n";
        assert!(done.err().ends_with(last), "{}", done.err());
        assert_eq!(
            rows(&run(&mut way.call("n[1-2]", &["--summary"], "true")).err()).len(),
            2
        );
    }
}

#[test]
fn the_summary_knows_every_way_to_end() {
    let nap = nap();
    let place = scratch();
    let remote = "#!/bin/sh\n[ $1 != n2 ] || exit 1; exec sh -c \"$2\"\n";
    let remote = text(crate::support::script(place.path(), "remote", remote));
    let words = |fanout| {
        [
            "-h",
            "n[1-6]",
            "-R",
            &remote,
            "--summary",
            "-f",
            fanout,
            "--keep-going",
        ]
        .map(String::from)
    };
    let script = format!("case $CLSH_HOST in n3) kill -9 $PPID;; n[45]) exec sleep {nap};; esac");
    let running = start(clsh_with(words("2")).args(["-v", &script]));
    wait_until("two that sleep", || count(&["sleep", &nap]) == 2);
    running.stderr.wait_for("clsh: n3: connection lost after");
    running.signal(TERM);
    let done = running.finish();
    let mut told: Vec<[String; 2]> = rows(&done.err())
        .into_iter()
        .map(|[node, status, _]| [node, status])
        .collect();
    let wanted = [
        ["n2", "connection failed"],
        ["n3", "connection lost"],
        ["n4", "terminated"],
        ["n5", "terminated"],
        ["n6", "not started"],
        ["n1", "0"],
    ];
    assert_eq!(told, wanted);
    assert_eq!(done.code(), 143);
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    let done = run(clsh_with(words("6")).args(["-u", "1.5", &script]));
    told = rows(&done.err())
        .into_iter()
        .map(|[node, status, _]| [node, status])
        .collect();
    let wanted = [
        ["n2", "connection failed"],
        ["n3", "connection lost"],
        ["n4", "timed out"],
        ["n5", "timed out"],
        ["n1", "0"],
        ["n6", "0"],
    ];
    assert_eq!(told, wanted);
}

#[test]
fn the_summary_goes_with_every_shape_and_with_quiet() {
    let place = scratch();
    let directory = text(place.path());
    for flags in [
        &["-b"][..],
        &["-L"],
        &["--json"],
        &["--out", &directory],
        &["-q"],
    ] {
        let flags = [flags, &["--summary"]].concat();
        let done = run(&mut call("n[1-2]", &flags, "echo hi; exit $r"));
        assert_eq!(
            rows(&done.err()),
            [["n2", "1", "3"], ["n1", "0", "3"]],
            "{flags:?}"
        );
    }
}

#[test]
fn failed_writes_the_nodes_that_did_not_return_0_as_a_hostfile() {
    for way in Way::BOTH {
        let place = scratch();
        let path = place.path().join("failed");
        let flags = ["--failed", &text(&path)];
        fs::write(&path, "old and longer than what is to come\n".repeat(9)).expect("write");
        let nodes = "n[1-3],eve@n3:2222,[::1]:22,[::1]:23";
        let done = run(&mut way.call(
            nodes,
            &flags,
            "[ $r != 0 ] && [ $r != 4 ]; [ $? = 1 ] || exit 3",
        ));
        assert_eq!(done.code(), 3, "{way:?}");
        let failed = fs::read_to_string(&path).expect("there");
        // Ready for the next call, with user and port.
        let again = run(&mut clsh_with(["-Q", "--hostfile", &text(&path)]));
        let all = run(&mut clsh_with(["-Q", "-h", nodes])).out();
        let wanted: Vec<&str> = all
            .lines()
            .enumerate()
            .filter(|(rank, _)| ![0, 4].contains(rank))
            .map(|(_, node)| node)
            .collect();
        assert_eq!(again.out().lines().collect::<Vec<_>>(), wanted, "{failed}");
        assert_eq!(failed.lines().collect::<Vec<_>>(), wanted);
        assert!(failed.ends_with('\n'));
        // None failed: the file is there, and empty.
        let done = run(&mut way.call("n[1-3]", &flags, "true"));
        assert_eq!(
            (done.code(), fs::read_to_string(&path).expect("there")),
            (0, String::new())
        );
        // It is made where it was missing.
        fs::remove_file(&path).expect("removed");
        run(&mut way.call("n[1-3]", &flags, "[ $h = n2 ]"));
        assert_eq!(fs::read_to_string(&path).expect("there"), "n1\nn3\n");
    }
}

#[test]
fn failed_is_written_when_the_run_is_ended() {
    for way in Way::BOTH {
        let nap = nap();
        let place = scratch();
        let path = place.path().join("failed");
        let script = format!("[ $h != n1 ] || exit 0; [ $h != n2 ] || exit 1; exec sleep {nap}");
        let flags = ["-f", "2", "-v", "--failed", &text(&path)];
        let running = start(&mut way.call("n[1-5]", &flags, &script));
        wait_until("two that sleep", || count(&["sleep", &nap]) == 2);
        running.signal(TERM);
        assert_eq!(running.finish().code(), 143, "{way:?}");
        assert_eq!(
            fs::read_to_string(&path).expect("there"),
            "n2\nn3\nn4\nn5\n"
        );
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn failed_that_cannot_be_written_is_refused_before_anything_starts() {
    let place = scratch();
    let started = place.path().join("started");
    let plain = text(file(place.path(), "plain", ""));
    for path in [
        "/no/such/place/failed".into(),
        text(place.path()),
        format!("{plain}/below"),
    ] {
        let done = run(&mut call(
            "n1",
            &["--failed", &path],
            &format!("echo >{}", text(&started)),
        ));
        assert_eq!((done.code(), done.out()), (2, String::new()));
        let words = format!("clsh: cannot write to '{path}', named by --failed: ");
        assert!(done.err().starts_with(&words), "{}", done.err());
        assert_eq!(done.err().lines().count(), 1);
    }
    assert!(!started.exists());
    // A call that is wrong for another reason leaves the file as it is.
    fs::write(&plain, "old").expect("write");
    let done = run(&mut clsh_with([
        "-h",
        "n1",
        "-R",
        "/no/such/remote",
        "--failed",
        &plain,
        "true",
    ]));
    assert_eq!(
        (done.code(), fs::read(&plain).expect("there")),
        (2, b"old".to_vec())
    );
}

#[test]
fn failed_that_turns_out_to_be_full_is_said_and_counts() {
    let done = run(&mut call("n[1-2]", &["--failed", "/dev/full"], "exit 1"));
    assert_eq!(done.code(), 255);
    let words = "clsh: cannot write '/dev/full' (--failed): No space left on device\n";
    assert!(done.err().contains(words), "{}", done.err());
}

#[test]
fn failed_keeps_what_it_held_until_all_of_the_new_is_written() {
    let place = scratch();
    let directory = text(place.path());
    let path = format!("{directory}/failed");
    let run_clsh = call("n[1-2000]", &["--failed", &path], "exit 1");
    // A disk without room but for names of files.
    let around = format!(
        "cd {directory}; echo old >failed; head -c 1000000 /dev/zero >rest; \"$@\"; s=$?; cat failed; ls -A; exit $s"
    );
    let around = through("sh", &around, &run_clsh);
    let Some(mut around) = on_small_disk(place.path(), 128, &around) else {
        return;
    };
    let done = run(&mut around);
    assert_eq!(
        (done.code(), done.out()),
        (255, "old\nfailed\nrest\n".into())
    );
    let words = format!("clsh: cannot write '{path}' (--failed): No space left on device\n");
    assert!(done.err().contains(&words), "{}", done.err());
}

#[test]
fn pick_leaves_some_of_the_nodes_in_their_order() {
    let all: Vec<String> = (1..=50).rev().map(|n| format!("n{n}")).collect();
    let list = all.join(",");
    let mut seen = Vec::new();
    for _ in 0..5 {
        let done = run(&mut clsh_with(["-Q", "--pick", "10", "-h", &list]));
        let picked: Vec<String> = done.out().lines().map(str::to_owned).collect();
        assert_eq!(picked.len(), 10);
        // In the order given, and each once.
        let mut rest = all.iter();
        assert!(
            picked.iter().all(|node| rest.any(|other| other == node)),
            "{picked:?}"
        );
        seen.push(picked);
    }
    seen.dedup();
    assert!(seen.len() > 1, "always the same");
    for (many, wanted) in [("50", 50), ("51", 50), ("1", 1)] {
        let done = run(&mut clsh_with(["-Q", "--pick", many, "-h", &list]));
        assert_eq!(
            (done.code(), done.out().lines().count()),
            (0, wanted),
            "{many}"
        );
    }
    // The nodes of the run are those, and their number.
    let mut call = clsh_with(["-h", &list, "-R", REMOTE, "--pick", "3"]);
    let done = run(call.arg("echo $CLSH_RANK $CLSH_COUNT"));
    let mut ranks: Vec<String> = done
        .out()
        .lines()
        .map(|line| line.split_once(' ').expect("a label").1.to_owned())
        .collect();
    ranks.sort();
    assert_eq!(ranks, ["0 3", "1 3", "2 3"]);
    let done = run(&mut clsh_with(["-Q", "--pick", "0", "-h", &list]));
    assert_eq!((done.code(), done.out()), (2, String::new()));
}
