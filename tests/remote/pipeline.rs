//! What the flags of a pipeline promise, with real nodes: what is printed or written of each, who is tried again, and what is said of
//! nodes that are not reached or lost.

use crate::input::many;
use crate::nodes::{
    Config, Different, Sleep, Sshd, below, block, closed_port, nodes, quoted, session_above,
    wait_all_gone,
};
use crate::support::{self, Finished};
use serde_json::Value;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;

const RULE: &str = "---------------";

/// A part of what `-b` prints.
fn part(header: &str, text: &str) -> String {
    format!("{RULE}\n{header}\n{RULE}\n{text}")
}

fn read(directory: &Path, name: &str) -> Vec<u8> {
    std::fs::read(directory.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The objects that `--json` printed, one a line and nothing else.
fn objects(done: &Finished) -> Vec<Value> {
    let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
    done.out().lines().map(parse).collect()
}

/// The only object of which this is a part, without its times.
fn the_one(objects: &[Value], key: &str, value: &str, event: &str) -> Value {
    let is = |object: &&Value| object[key] == value && object["event"] == event;
    let found: Vec<&Value> = objects.iter().filter(is).collect();
    assert_eq!(found.len(), 1, "{key} {value} {event} in {objects:?}");
    let mut found = found[0].clone();
    let fields = found.as_object_mut().expect("an object");
    assert!(
        fields
            .remove("seconds")
            .is_some_and(|seconds| seconds.is_f64())
    );
    if event == "exit" {
        // Only who said hello has one.
        let connected = fields.remove("connect_seconds");
        assert!(connected.is_none_or(|seconds| seconds.is_f64()));
    }
    found
}

// A node that is lost.

/// What ssh says of it.
const CLOSED: &str = "closed by remote host.";

/// Loses node2 of four in the middle of a command, with these options, and looks at what holds with every option.
fn node2_lost(number: u32, options: &[&str]) -> Finished {
    let sleep = Sleep::new(number);
    let directory = support::scratch();
    let input = directory.path().join("input");
    // How much of the output has come can't be seen with every option.
    let command = format!("cat; sleep 0.5; {}", sleep.command());
    let words = [options, &["-h", "node[1-4]", &command]].concat();
    std::fs::write(&input, "said\n").expect("write");
    let input = std::fs::File::open(&input).expect("open");
    let clsh = support::start(nodes().clsh(words).stdin(input));
    sleep.wait_for(4);
    let started = below(clsh.pid());
    support::kill(session_above(sleep.on("node2").pid).pid, 9);
    let done = clsh.finish();
    wait_all_gone(&started);
    sleep.wait_gone();
    let err = done.err();
    assert_eq!(done.code(), 255, "{err}");
    assert_eq!(
        err.matches("ERROR: node2 connection lost\n").count(),
        1,
        "{err}"
    );
    assert_eq!(err.matches("ERROR").count(), 1, "{err}");
    assert!(
        err.ends_with("clsh: node2: connection lost\nclsh: node[1,3-4] (3): terminated, because node2 was lost\n"),
        "{err}"
    );
    assert!(!err.contains("trying again"), "{err}");
    done
}

#[test]
fn what_a_lost_node_said_is_gathered_apart_from_the_others() {
    let directory = support::scratch();
    let failed = directory.path().join("failed");
    let failed = failed.to_str().expect("UTF-8");
    let done = node2_lost(901, &["-b", "--retries", "2", "--failed", failed]);
    let out = done.out();
    let others = part("node[1,3-4] (3): unfinished", "said\n");
    let lost = part(
        "node2: connection lost",
        "said\nstderr: Connection to 127.0.0.1 ",
    );
    let start = format!("{others}{lost}");
    assert!(out.starts_with(&start), "{out}");
    assert!(out.trim_end().ends_with(CLOSED), "{out}");
    assert_eq!(out.lines().count(), 9, "{out}");
    assert_eq!(
        String::from_utf8_lossy(&read(directory.path(), "failed")),
        "node1\nnode2\nnode3\nnode4\n"
    );
}

#[test]
fn lines_in_order_and_the_table_tell_of_a_lost_node() {
    let done = node2_lost(902, &["-L", "--summary", "--retries", "2"]);
    assert_eq!(
        done.out(),
        "node1: said\nnode2: said\nnode3: said\nnode4: said\n"
    );
    let err = done.err();
    let rows: Vec<Vec<&str>> = err
        .lines()
        .skip_while(|line| !line.starts_with("node   "))
        .skip(1)
        .take(4)
        .map(|line| line.split_whitespace().collect())
        .collect();
    let statuses: Vec<(&str, &str)> = rows.iter().map(|row| (row[0], row[1])).collect();
    let expected = [
        ("node2", "connection"),
        ("node1", "terminated"),
        ("node3", "terminated"),
        ("node4", "terminated"),
    ];
    assert_eq!(statuses, expected, "failures first: {err}");
    assert_eq!(rows[0][2], "lost");
}

#[test]
fn the_object_of_a_lost_node_says_so_and_files_keep_what_it_wrote() {
    let directory = support::scratch();
    let path = directory.path().to_str().expect("UTF-8");
    let done = node2_lost(
        903,
        &["--json", "--out", path, "--err", path, "--retries", "2"],
    );
    let objects = objects(&done);
    assert_eq!(
        objects.len(),
        5,
        "all of what was said is in files: {objects:?}"
    );
    let lost = the_one(&objects, "node", "node2", "exit");
    let expected = serde_json::json!(
        {"node": "node2", "event": "exit", "status": 255, "outcome": "connection lost"});
    assert_eq!(lost, expected);
    for node in ["node1", "node3", "node4"] {
        let expected = serde_json::json!(
            {"node": node, "event": "exit", "status": null, "outcome": "terminated"});
        assert_eq!(the_one(&objects, "node", node, "exit"), expected);
    }
    let expected = serde_json::json!(
        {"event": "end", "status": 255, "nodes": 4, "ok": 0, "failed": 4});
    let end = the_one(&objects, "event", "end", "end");
    assert_eq!(end, expected);
    for k in 1..=4 {
        assert_eq!(read(directory.path(), &format!("node{k}.out")), b"said\n");
    }
    let said = read(directory.path(), "node2.err");
    assert!(String::from_utf8_lossy(&said).contains(CLOSED), "{said:?}");
    assert_eq!(read(directory.path(), "node1.err"), b"");
}

#[test]
fn the_first_failure_and_a_lost_node_go_together() {
    let done = node2_lost(904, &["-k"]);
    assert_eq!(
        done.sorted(),
        [1, 2, 3, 4].map(|k| format!("node{k}: said"))
    );
    // The first node that does not return 0 ends the run, there as well.
    let sleep = Sleep::new(905);
    let command = format!(
        "read -r line; [ $CLSH_RANK = 2 ] && exit 7; {}",
        sleep.command()
    );
    let words = ["-k", "-h", "node[1-4]", &command];
    let mut clsh = support::start(nodes().clsh(words).stdin(Stdio::piped()));
    let mut pipe = clsh.stdin();
    pipe.write_all(b"go").expect("write");
    // Until the line ends nobody goes on.
    support::wait_until("four nodes", || below(clsh.pid()).len() >= 4);
    pipe.write_all(b"\n").expect("write");
    let done = clsh.finish();
    assert_eq!(
        (done.code(), done.out()),
        (7, String::new()),
        "{}",
        done.err()
    );
    let said = "clsh: node3: exited with exit code 7\nclsh: node[1-2,4] (3): terminated\n";
    assert_eq!(done.err(), said);
    sleep.wait_gone();
}

#[test]
fn with_keep_going_the_others_are_gathered_and_only_the_lost_one_counts_as_failed() {
    let sleep = Sleep::new(906);
    let directory = support::scratch();
    let (go, failed) = (directory.path().join("go"), directory.path().join("failed"));
    let command = format!(
        "cat; if [ $CLSH_RANK = 1 ]; then {}; fi; while [ ! -e {} ]; do sleep 0.05; done",
        sleep.command(),
        quoted(&go)
    );
    let failed_word = failed.to_str().expect("UTF-8");
    let words = [
        "-b",
        "--keep-going",
        "--failed",
        failed_word,
        "-h",
        "node[1-4]",
        &command,
    ];
    let mut clsh = support::start(nodes().clsh(words).stdin(Stdio::piped()));
    clsh.stdin().write_all(b"said\n").expect("write");
    sleep.wait_for(1);
    support::kill(session_above(sleep.on("node2").pid).pid, 9);
    clsh.stderr.wait_for("ERROR: node2 connection lost\n");
    std::fs::write(&go, "").expect("write");
    let done = clsh.finish();
    let others = part("node[1,3-4] (3)", "said\n");
    assert!(done.out().starts_with(&others), "{}", done.out());
    assert_eq!(
        done.err(),
        "ERROR: node2 connection lost\nclsh: node2: connection lost\n"
    );
    assert_eq!(
        (done.code(), read(directory.path(), "failed")),
        (255, b"node2\n".to_vec())
    );
    sleep.wait_gone();
}

// A node that is not reached, and is tried again.

#[test]
fn a_node_that_never_answers_is_tried_as_often_as_told_and_failed_in_every_form() {
    let config = Config::new(nodes(), &block("dead", closed_port()));
    let directory = support::scratch();
    let failed = directory.path().join("failed");
    let path = failed.to_str().expect("UTF-8");
    let words = [
        "--json",
        "--summary",
        "--failed",
        path,
        "--retries",
        "2",
        "--retry-delay",
        "0.05",
        "-h",
        "node1,dead",
        "cat",
    ];
    let mut clsh = support::start(config.clsh(&words).stdin(Stdio::piped()));
    clsh.stdin().write_all(b"input\n").expect("write");
    let done = clsh.finish();
    let (objects, err) = (objects(&done), done.err());
    let expected = serde_json::json!(
        {"node": "dead", "event": "exit", "status": 255, "outcome": "connection failed"});
    assert_eq!(the_one(&objects, "node", "dead", "exit"), expected);
    let refused = objects
        .iter()
        .filter(|object| object["stream"] == "stderr")
        .count();
    assert_eq!(refused, 3, "a try and two more: {objects:?}");
    let said = objects
        .iter()
        .filter(|object| object["line"] == "input")
        .count();
    assert_eq!((done.code(), said), (255, 1));
    for number in ["(1 of 2)", "(2 of 2)"] {
        assert_eq!(err.matches(number).count(), 1, "{err}");
    }
    assert_eq!(
        err.matches("ERROR: dead connection failed\n").count(),
        1,
        "{err}"
    );
    assert_eq!(err.matches("ERROR").count(), 1, "{err}");
    assert_eq!(read(directory.path(), "failed"), b"dead\n");
}

#[test]
fn a_node_that_answers_at_a_later_try_gets_all_of_the_input() {
    let port = closed_port();
    let config = Config::new(nodes(), &block("late", port));
    let words = [
        "--retries",
        "12",
        "--retry-delay",
        "0.1",
        "-h",
        "node1,late",
        "--",
        "cat; exit 7",
    ];
    let mut clsh = support::start(config.clsh(&words).stdin(Stdio::piped()));
    let mut pipe = clsh.stdin();
    pipe.write_all(b"first\n").expect("write");
    clsh.stdout.wait_for("node1: first\n");
    clsh.stderr
        .wait_for("late: connection failed; trying again");
    pipe.write_all(b"second\n").expect("write");
    let different = Different {
        address: Some(("127.0.0.1", port)),
        ..Different::default()
    };
    let _late = Sshd::start(nodes(), "late", &different);
    clsh.stdout.wait_for("late: second\n");
    drop(pipe);
    let done = clsh.finish();
    let expected = [
        "late: first",
        "late: second",
        "node1: first",
        "node1: second",
    ];
    assert_eq!(
        (done.code(), done.sorted()),
        (7, expected.map(str::to_owned).to_vec())
    );
    let err = done.err();
    assert!(!err.contains("ERROR"), "{err}");
    assert!(
        err.ends_with("clsh: node1,late (2): exited with exit code 7\n"),
        "{err}"
    );
}

#[test]
fn a_node_that_is_lost_after_a_later_try_is_not_tried_again() {
    let port = closed_port();
    let config = Config::new(nodes(), &block("late", port));
    let sleep = Sleep::new(907);
    let words = [
        "--retries",
        "12",
        "--retry-delay",
        "0.1",
        "-h",
        "late",
        &sleep.command(),
    ];
    let clsh = support::start(&mut config.clsh(&words));
    clsh.stderr.wait_for("trying again");
    let different = Different {
        address: Some(("127.0.0.1", port)),
        ..Different::default()
    };
    let _late = Sshd::start(nodes(), "late-lost", &different);
    sleep.wait_for(1);
    let before = clsh.stderr.text().matches("trying again").count();
    support::kill(session_above(sleep.running()[0].pid).pid, 9);
    let done = clsh.finish();
    let err = done.err();
    assert_eq!(
        (done.code(), err.matches("trying again").count()),
        (255, before),
        "{err}"
    );
    assert_eq!(
        err.matches("ERROR: late connection lost\n").count(),
        1,
        "{err}"
    );
    sleep.wait_gone();
}

/// Twelve nodes, which are one sshd that takes this many logins at once.
fn crowded(name: &str, max_startups: &str) -> (Sshd, Config) {
    let lines = format!("MaxStartups {max_startups}\n");
    let different = Different {
        lines: &lines,
        ..Different::default()
    };
    let sshd = Sshd::start(nodes(), name, &different);
    let blocks: String = (0..12)
        .map(|k| block(&format!("c{k:02}"), sshd.port))
        .collect();
    let config = Config::new(nodes(), &blocks);
    (sshd, config)
}

#[test]
fn nodes_that_drop_logins_when_many_come_at_once_are_all_reached_with_retries() {
    let (_sshd, config) = crowded("crowded", "2:50:5");
    let words = [
        "-f",
        "12",
        "--retries",
        "8",
        "--retry-delay",
        "0.2",
        "-h",
        "c[00-11]",
        "cat",
    ];
    let mut clsh = support::start(config.clsh(&words).stdin(Stdio::piped()));
    clsh.stdin().write_all(b"input\n").expect("write");
    let done = clsh.finish();
    let expected: Vec<String> = (0..12).map(|k| format!("c{k:02}: input")).collect();
    assert_eq!(
        (done.code(), done.sorted()),
        (0, expected),
        "{}",
        done.err()
    );
    assert!(!done.err().contains("ERROR"), "{}", done.err());
}

#[test]
fn a_node_that_drops_every_login_fails_without_retries_and_is_reached_with_them_once_it_has_room() {
    let (sshd, config) = crowded("full", "2");
    let hold = || TcpStream::connect(("127.0.0.1", sshd.port)).expect("connect");
    let held = [hold(), hold()];
    let list = "c[00-03]";
    let done = support::run(&mut config.clsh(&["-h", list, "echo", "here"]));
    let err = done.err();
    assert_eq!((done.code(), done.out()), (255, String::new()), "{err}");
    assert!(
        err.ends_with(&format!("clsh: {list} (4): connection failed\n")),
        "{err}"
    );
    assert!(!err.contains("trying again"), "{err}");
    let words = [
        "-q",
        "--retries",
        "12",
        "--retry-delay",
        "0.2",
        "-h",
        list,
        "echo",
        "here",
    ];
    let clsh = support::start(&mut config.clsh(&words));
    // -q: no notes. What ssh says is the node's.
    clsh.stderr.wait_for("c00: ");
    drop(held);
    let done = clsh.finish();
    let expected: Vec<String> = (0..4).map(|k| format!("c{k:02}: here")).collect();
    assert_eq!(
        (done.code(), done.sorted()),
        (0, expected),
        "{}",
        done.err()
    );
}

// What is printed and written.

#[test]
fn nodes_that_say_the_same_are_printed_once_and_their_bytes_are_right() {
    let input = b"nul\0 \xff\xfe\ttab\n\n last line without newline";
    let command = "cat; [ $CLSH_RANK -lt 5 ] || echo more; echo words >&2; exit $((CLSH_RANK / 7))";
    let mut clsh = support::start(
        nodes()
            .clsh(["-b", "-h", "node[1-8]", command])
            .stdin(Stdio::piped()),
    );
    clsh.stdin().write_all(input).expect("write");
    let done = clsh.finish();
    let text = "nul\0 \u{fffd}\u{fffd}\ttab\n\n last line without newline";
    let expected = [
        part("node[1-5] (5)", &format!("{text}\nstderr: words\n")),
        part("node[6-7] (2)", &format!("{text}more\nstderr: words\n")),
        part("node8: exit 1", &format!("{text}more\nstderr: words\n")),
    ];
    assert_eq!(done.out(), expected.concat());
    let raw = done
        .stdout
        .windows(input.len())
        .filter(|found| found == input);
    assert_eq!(raw.count(), 3, "no byte is changed");
    let said = "clsh: node8: exited with exit code 1\n";
    assert_eq!((done.code(), done.err()), (1, said.to_owned()));
}

#[test]
fn lines_come_in_the_order_of_the_nodes_though_the_last_one_is_done_first() {
    let directory = support::scratch();
    let place = quoted(directory.path());
    // Each waits for the node after it to be done.
    let command = format!(
        "while [ $CLSH_RANK -lt 7 ] && [ ! -e {place}/$((CLSH_RANK + 1)) ]; do sleep 0.02; done
         seq 2000; printf 'end\\0\\377'; : >{place}/$CLSH_RANK"
    );
    let done = nodes().run(["-n", "-L", "-h", "node[1-8]", &command]);
    let mut expected = Vec::new();
    for k in 1..=8 {
        for number in 1..=2000 {
            expected.extend(format!("node{k}: {number}\n").into_bytes());
        }
        expected.extend(format!("node{k}: end").into_bytes());
        expected.extend(b"\0\xff\n");
    }
    assert_eq!((done.code(), done.err()), (0, String::new()));
    assert!(
        done.stdout == expected,
        "{} bytes of {}",
        done.stdout.len(),
        expected.len()
    );
}

#[test]
fn files_hold_the_bytes_of_eight_nodes_unchanged() {
    let config = many(8);
    let directory = support::scratch();
    let (out, err) = (directory.path().join("out"), directory.path().join("err"));
    let words = [
        "--out",
        out.to_str().expect("UTF-8"),
        "--err",
        err.to_str().expect("UTF-8"),
        "-h",
        "m[00-07]",
        "tee /dev/fd/2; printf %s $CLSH_HOST; [ $CLSH_RANK != 3 ]",
    ];
    let input: Vec<u8> = (0..300_000u32)
        .map(|k| (k.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let mut clsh = support::start(config.clsh(&words).stdin(Stdio::piped()));
    clsh.stdin().write_all(&input).expect("write");
    let done = clsh.finish();
    let said = "clsh: m03: exited with exit code 1\n";
    assert_eq!(
        (done.code(), done.out(), done.err()),
        (1, String::new(), said.to_owned())
    );
    for k in 0..8 {
        let whole = [&input[..], format!("m{k:02}").as_bytes()].concat();
        let [found, said] = [(&out, "out"), (&err, "err")]
            .map(|(place, end)| read(place, &format!("m{k:02}.{end}")));
        assert!(
            found == whole,
            "m{k:02}.out: {} bytes of {}",
            found.len(),
            whole.len()
        );
        assert!(
            said == input,
            "m{k:02}.err: {} bytes of {}",
            said.len(),
            input.len()
        );
    }
    let files = |place: &Path| std::fs::read_dir(place).expect("a directory").count();
    assert_eq!([files(&out), files(&err)], [8, 8]);
}
