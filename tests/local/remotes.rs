//! Transports that are command lines: how they are split and filled, and remotes of every bad manner, each named after its own.

use crate::kit::{count, labelled, nap};
use crate::support::{Finished, clsh_with, run, scratch, script, start, wait_until};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// How a fake remote begins: `$1` is the host, `$2` the command line clsh sent. `ready` plays the bootstrap and learns the secret of the run,
/// `$nonce`; `hello` does that, and says hello.
const HEAD: &str = r#"#!/bin/sh
host=$1 line=$2
n='
'
ready() {
  printf '\036clsh ready 1\036\n'
  printf '\036clsh ready 2\036\n' >&2
  read -r script
  IFS= read -r data
  eval "$data"
  nonce=$_nonce
}
hello() { ready; printf '\036%s hello %s\036\n' "$nonce" $$ >&2; }
"#;

/// A directory with one fake remote in it, and clsh that reaches its nodes through that.
struct Fake {
    directory: TempDir,
}

impl Fake {
    fn new(body: &str) -> Self {
        let directory = scratch();
        script(directory.path(), "remote", &format!("{HEAD}{body}\n"));
        Self { directory }
    }

    fn call(&self, nodes: &str, words: &[&str]) -> Command {
        let mut command = clsh_with(["-h", nodes, "-R", "./remote"]);
        command.args(words).current_dir(self.path());
        command
    }

    fn run(&self, nodes: &str, words: &[&str]) -> Finished {
        run(&mut self.call(nodes, words))
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }
}

/// A remote as it should be.
fn honest() -> Fake {
    Fake::new(r#"exec sh -c "$line""#)
}

// Command lines.

/// A remote that prints its arguments, each in brackets.
fn printer() -> TempDir {
    let directory = scratch();
    let text = "#!/bin/sh\nfor word; do printf '[%s]' \"$word\"; done; echo\n";
    script(directory.path(), "printer", text);
    directory
}

#[test]
fn a_transport_is_split_filled_and_given_the_command_as_one_last_argument() {
    for (transport, wanted) in [
        ("./printer", "[n1][echo a  b]"),
        ("./printer %h", "[n1][echo a  b]"),
        ("./printer -p%n x%hy", "[-p0][xn1y][echo a  b]"),
        ("./printer '%u at' \"%h\" ''", "[eve at][n1][][echo a  b]"),
        ("./printer %% %x % %%h", "[%][%x][%][%h][n1][echo a  b]"),
        (
            r#"./printer a\ b "c\"d" '\'"#,
            r#"[a b][c"d][\][n1][echo a  b]"#,
        ),
    ] {
        let directory = printer();
        let mut call = clsh_with(["-h", "n1", "-l", "eve", "--bare", "-R", transport]);
        call.args(["echo", "a ", "b"]).current_dir(directory.path());
        let done = run(&mut call);
        assert_eq!(
            done.out(),
            labelled("n1", &[wanted]),
            "{transport}: {}",
            done.err()
        );
        assert_eq!(done.code(), 0);
    }
}

#[test]
fn a_transport_that_is_no_command_line_is_a_wrong_call() {
    for transport in ["", " ", "'open", "\"open"] {
        let done = run(&mut clsh_with(["-h", "n1", "-R", transport, "true"]));
        assert_eq!(
            (done.code(), done.out()),
            (2, String::new()),
            "{transport:?}"
        );
        assert!(done.err().contains("--transport"), "{}", done.err());
    }
    let done = run(&mut clsh_with([
        "-h",
        "n1",
        "-R",
        "/no/such/thing %h",
        "true",
    ]));
    assert_eq!(done.code(), 2);
    assert!(done.err().contains("'/no/such/thing'"), "{}", done.err());
}

// Remotes as they should be.

#[test]
fn a_command_runs_behind_a_transport_with_its_status_its_streams_and_its_variables() {
    let command = "echo $CLSH_HOST $CLSH_RANK $CLSH_COUNT; echo err >&2; exit $((CLSH_RANK * 7))";
    let done = honest().run("n[1-3]", &[command]);
    assert_eq!(done.sorted(), ["n1: n1 0 3", "n2: n2 1 3", "n3: n3 2 3"]);
    assert_eq!(done.code(), 14);
    let err = done.err();
    assert_eq!(err.matches(": err\n").count(), 3, "{err}");
    let summary = "clsh: n2: exited with exit code 7\nclsh: n3: exited with exit code 14\n";
    assert!(err.ends_with(summary) && err.lines().count() == 5, "{err}");
}

#[test]
fn a_status_of_255_behind_the_wrapper_is_the_commands_own() {
    let done = honest().run(
        "n[1-2]",
        &["[ $CLSH_RANK = 0 ] && exit 255; sleep 0.3; echo done"],
    );
    assert_eq!((done.code(), done.out()), (255, labelled("n2", &["done"])));
    assert_eq!(done.err(), "clsh: n1: exited with exit code 255\n");
}

#[test]
fn a_command_behind_the_wrapper_that_a_signal_ended_counts_128_and_its_number() {
    for signal in [9, 15] {
        let done = honest().run("n1", &[&format!("kill -{signal} $$")]);
        assert_eq!(done.code(), 128 + signal);
    }
}

#[test]
fn a_command_keeps_its_bytes_through_the_wrapper() {
    let odd = "a'b \"c\" \\d $e `f` !g %h\tä \u{1}";
    let done = honest().run(
        "n1",
        &["printf", "%s", &format!("'{}'", odd.replace('\'', "'\\''"))],
    );
    assert_eq!(done.out(), labelled("n1", &[odd]));
}

#[test]
fn a_command_behind_the_wrapper_ends_at_sigterm_and_on_the_time_limit() {
    let nap = nap();
    let fake = honest();
    let running = start(&mut fake.call("n[1-3]", &[&format!("echo up; exec sleep {nap}")]));
    wait_until("all up", || running.stdout.text().lines().count() == 3);
    running.signal(crate::kit::TERM);
    assert_eq!(running.finish().code(), 143);
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    let done = fake.run("n1", &["-u", "0.5", &format!("exec sleep {nap}")]);
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n1: timed out\n".into())
    );
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
}

#[test]
fn the_far_side_ends_when_clsh_is_killed() {
    let nap = nap();
    let fake = honest();
    let running = start(&mut fake.call("n[1-2]", &[&format!("echo up; sleep {nap}; true")]));
    wait_until("all up", || running.stdout.text().lines().count() == 2);
    running.signal(crate::kit::KILL);
    running.finish();
    wait_until("nothing left", || count(&["sleep", &nap]) == 0);
}

// Remotes that misbehave.

#[test]
fn a_remote_whose_reader_goes_before_its_lifeline_leaves_nothing_behind() {
    let body = r#"
        mkfifo lifeline
        exec 3<&0
        { cat <&3 & until [ -e go ]; do sleep 0.1; done; sleep 2; } >lifeline &
        sh -c "$line" <lifeline | { until [ -e go ]; do sleep 0.1; done; }"#;
    let (fake, nap) = (Fake::new(body), nap());
    let script = format!("echo line; sleep {nap} & while echo more; do sleep 0.1; done");
    let running = start(&mut fake.call("n1", &["-n", &script]));
    wait_until("the sleep", || count(&["sleep", &nap]) == 1);
    fs::write(fake.path().join("go"), "").expect("write");
    running.finish();
    wait_until("the end of it", || count(&["sleep", &nap]) == 0);
}

#[test]
fn a_remote_whose_shell_dies_for_want_of_a_reader_leaves_nothing_behind_though_its_parent_lives() {
    // As over a connection that others share.
    let body = r#"
        { sh -c "$line"; until [ -e stop ]; do sleep 0.1; done; } | { until [ -e go ]; do sleep 0.1; done; }"#;
    let (fake, nap) = (Fake::new(body), nap());
    let script = format!("sleep {nap} & until [ -e go ]; do sleep 0.1; done; sleep 0.2");
    let mut running = start(fake.call("n1", &[&script]).stdin(Stdio::piped()));
    let input = running.stdin();
    wait_until("the sleep", || count(&["sleep", &nap]) == 1);
    fs::write(fake.path().join("go"), "").expect("write");
    wait_until("the end of it", || count(&["sleep", &nap]) == 0);
    fs::write(fake.path().join("stop"), "").expect("write");
    drop(input);
    running.finish();
}

#[test]
fn a_remote_that_begins_after_its_transport_is_gone_runs_nothing() {
    let fake = Fake::new(
        r#"exec 3<&0; (sleep 0.2; setsid sh -c "$line" <&3; touch ended) >/dev/null 2>&1 & exit 1"#,
    );
    let done = fake.run("n1", &["-n", "touch begun"]);
    assert_eq!(done.code(), 255, "{}", done.err());
    wait_until("the end of it", || fake.path().join("ended").exists());
    assert!(!fake.path().join("begun").exists());
}

#[test]
fn a_remote_that_never_says_hello_failed_to_connect_and_is_ended() {
    let nap = nap();
    let fake = Fake::new(&format!(
        "[ $host = n2 ] && {{ echo stuck >&2; exec sleep {nap}; }}; exec sh -c \"$line\""
    ));
    let done = fake.run("n[1-3]", &["-t", "1", "sleep 2; echo ok"]);
    assert_eq!(done.sorted(), ["n1: ok", "n3: ok"]);
    let err = done.err();
    assert!(err.starts_with("n2: stuck\n"), "{err}");
    assert!(err.contains("\nERROR: n2 connection failed\n"), "{err}");
    assert!(err.ends_with("clsh: n2: connection failed\n"), "{err}");
    assert_eq!((done.code(), count(&["sleep", &nap])), (255, 0));
}

#[test]
fn a_remote_that_ends_without_running_the_wrapper_failed_to_connect() {
    for status in [0, 1, 255] {
        let fake = Fake::new(&format!(
            "[ $host = n2 ] && {{ echo no route >&2; exit {status}; }}; exec sh -c \"$line\""
        ));
        let done = fake.run("n[1-3]", &["sleep 0.5; echo ok"]);
        assert_eq!(done.sorted(), ["n1: ok", "n3: ok"]);
        assert_eq!(done.code(), 255);
        assert_eq!(
            done.err(),
            "n2: no route\nERROR: n2 connection failed\nclsh: n2: connection failed\n"
        );
    }
}

#[test]
fn a_remote_that_says_hello_and_dies_is_lost_and_ends_the_run() {
    for death in ["exit 0", "exit 1", "kill -9 $$"] {
        let nap = nap();
        let fake = Fake::new(&format!(
            "[ $host = n2 ] && {{ hello; echo partial; sleep 0.3; {death}; }}; exec sh -c \"$line\""
        ));
        let done = fake.run("n[1-3]", &[&format!("exec sleep {nap}")]);
        assert_eq!(
            (done.code(), done.out()),
            (255, labelled("n2", &["partial"]))
        );
        let err = done.err();
        let wanted = "\
ERROR: n2 connection lost
clsh: n2 was lost, which ends the run; --keep-going lets the other nodes finish
clsh: n2: connection lost
clsh: n[1,3] (2): terminated, because n2 was lost
";
        assert_eq!(err, wanted, "{death}");
        wait_until("nothing left", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn nodes_that_a_lost_one_keeps_from_their_turn_read_why_and_a_lost_one_alone_ends_nothing() {
    let fake = Fake::new("[ $host = n2 ] && { hello; sleep 0.3; exit 0; }; exec sh -c \"$line\"");
    let words = ["-f", "2", "exec sleep 1000"];
    let done = fake.run("n[1-4]", &words);
    let err = done.err();
    let end = "clsh: n1: terminated, because n2 was lost\nclsh: n[3-4] (2): not started, because n2 was lost\n";
    assert!(err.ends_with(end), "{err}");
    let said = "clsh: n2 was lost, which ends the run; --keep-going lets the other nodes finish\n";
    assert_eq!(err.matches(said).count(), 1, "{err}");
    let done = fake.run("n2", &words);
    let alone = "ERROR: n2 connection lost\nclsh: n2: connection lost\n";
    assert_eq!((done.code(), done.err()), (255, alone.into()));
    let quiet = fake.run("n[1-2]", &["-q", "exec sleep 1000"]);
    assert_eq!(quiet.err(), "ERROR: n2 connection lost\n");
}

#[test]
fn keep_going_lets_the_others_finish_when_a_node_is_lost() {
    let fake = Fake::new("[ $host = n2 ] && { hello; exit 1; }; exec sh -c \"$line\"");
    let done = fake.run("n[1-3]", &["--keep-going", "sleep 0.5; echo ok"]);
    assert_eq!(done.sorted(), ["n1: ok", "n3: ok"]);
    assert_eq!(done.code(), 255);
    assert_eq!(
        done.err(),
        "ERROR: n2 connection lost\nclsh: n2: connection lost\n"
    );
}

#[test]
fn a_remote_that_sends_half_a_frame_and_dies_shows_none_of_it() {
    let fake = Fake::new(r#"ready; printf 'text\036%s hel' "$nonce" >&2; exit 1"#);
    let done = fake.run("n1", &["true"]);
    assert_eq!(
        done.err(),
        "n1: text\nERROR: n1 connection failed\nclsh: n1: connection failed\n"
    );
    assert_eq!(done.code(), 255);
    let fake = Fake::new(r#"hello; printf 'text\036%s exit 0' "$nonce"; exit 0"#);
    let done = fake.run("n1", &["true"]);
    assert_eq!((done.code(), done.out()), (255, labelled("n1", &["text"])));
    assert!(
        done.err().starts_with("ERROR: n1 connection lost\n"),
        "{}",
        done.err()
    );
}

#[test]
fn a_remote_that_sends_a_frame_byte_by_byte_is_understood() {
    let body = r#"
ready
frame=$(printf '\036%s hello 1\036' "$nonce")
while [ "$frame" ]; do
  rest=${frame#?}
  printf %s "${frame%"$rest"}" >&2
  frame=$rest
  case $frame in *00|*e*1*) sleep 0.01;; esac
done
echo >&2
printf 'no newline\036%s exit 5\036\n' "$nonce" | tee /dev/stderr
exit 5"#;
    let done = Fake::new(body).run("n1", &["true"]);
    assert_eq!(
        (done.code(), done.out()),
        (5, labelled("n1", &["no newline"]))
    );
    assert_eq!(
        done.err(),
        "n1: no newline\nclsh: n1: exited with exit code 5\n"
    );
}

#[test]
fn a_frame_with_a_wrong_nonce_passes_as_output() {
    let wrong = "ab".repeat(16);
    let command = format!("printf '\\036{wrong} exit 0\\036\\n'; exit 3");
    let done = honest().run("n1", &[&command]);
    assert_eq!(done.out(), format!("n1: \x1e{wrong} exit 0\x1e\n"));
    assert_eq!(done.code(), 3);
    // Nor does a forged hello connect anybody.
    let fake = Fake::new(&format!(
        "printf '\\036{wrong} hello 1\\036\\n' >&2; exit 0"
    ));
    let done = fake.run("n1", &["true"]);
    assert_eq!(done.code(), 255);
    assert!(
        done.err().contains("ERROR: n1 connection failed"),
        "{}",
        done.err()
    );
}

#[test]
fn a_remote_that_closes_stdout_early_still_reports_its_status() {
    let done = Fake::new(r#"exec sh -c "$line" >&-"#).run("n1", &["echo gone; exit 7"]);
    assert_eq!((done.code(), done.out()), (7, String::new()));
    let done = Fake::new(r#"exec sh -c "$line" 2>/dev/null"#).run("n1", &["echo shown; exit 7"]);
    assert_eq!((done.code(), done.out()), (7, labelled("n1", &["shown"])));
}

#[test]
fn a_remote_that_babbles_before_and_after_is_printed_and_understood() {
    let fake = Fake::new(r#"echo motd; echo banner >&2; sh -c "$line"; s=$?; echo bye; exit $s"#);
    let done = fake.run("n1", &["echo own; exit 6"]);
    assert_eq!(
        (done.code(), done.out()),
        (6, labelled("n1", &["motd", "own", "bye"]))
    );
    assert_eq!(
        done.err(),
        "n1: banner\nclsh: n1: exited with exit code 6\n"
    );
}

#[test]
fn a_transport_that_stays_after_the_command_is_done_is_ended() {
    let nap = nap();
    let fake = Fake::new(&format!("sh -c \"$line\"; exec sleep {nap}"));
    let done = fake.run("n[1-2]", &["echo done; exit 6"]);
    assert_eq!(done.sorted(), ["n1: done", "n2: done"]);
    assert_eq!((done.code(), count(&["sleep", &nap])), (6, 0));
    assert_eq!(done.err(), "clsh: n[1-2] (2): exited with exit code 6\n");
}

#[test]
fn a_node_that_is_done_is_never_lost_whatever_its_transport_returns() {
    for death in ["exit 255", "kill -9 $$"] {
        let done = Fake::new(&format!("sh -c \"$line\"; {death}")).run("n1", &["echo done"]);
        assert_eq!(
            (done.code(), done.out()),
            (0, labelled("n1", &["done"])),
            "{death}"
        );
        assert_eq!(done.err(), "");
    }
}

#[test]
fn bare_reads_255_and_a_signal_as_a_lost_connection_and_all_else_as_a_status() {
    for (command, code, said) in [
        ("exit 0", 0, ""),
        ("exit 7", 7, "clsh: n1: exited with exit code 7\n"),
        (
            "exit 255",
            255,
            "ERROR: n1 connection lost\nclsh: n1: connection lost\n",
        ),
        (
            "kill -9 $$",
            255,
            "ERROR: n1 connection lost\nclsh: n1: connection lost\n",
        ),
    ] {
        let done = run(&mut clsh_with([
            "-h",
            "n1",
            "--bare",
            "-R",
            "sh -c 'eval \"$1\"' %h",
            command,
        ]));
        assert_eq!(
            (done.code(), done.err()),
            (code, said.to_owned()),
            "{command}"
        );
    }
}

#[test]
fn a_connect_time_does_not_end_a_command_that_is_connected() {
    let done = honest().run("n1", &["-t", "0.5", "sleep 2; echo done"]);
    assert_eq!((done.code(), done.out()), (0, labelled("n1", &["done"])));
}

#[test]
fn a_background_process_behind_the_wrapper_does_not_hold_the_run() {
    let nap = nap();
    let stray = crate::kit::Stray::new(&["sleep", &nap]);
    let done = honest().run("n1", &[&format!("sleep {nap} & echo hi; exit 4")]);
    assert_eq!((done.code(), done.out()), (4, labelled("n1", &["hi"])));
    assert_eq!(stray.count(), 1);
}

#[test]
fn only_without_the_wrapper_a_command_is_bounded_by_an_argument() {
    let long = "x".repeat(60_000);
    let words = ["true", &long, &long, &long];
    let done = honest().run("n1", &words);
    assert_eq!(
        (done.code(), done.out()),
        (0, String::new()),
        "{}",
        done.err()
    );
    let done = honest().run("n1", &[&["--bare"], &words[..]].concat());
    assert_eq!((done.code(), done.out()), (2, String::new()));
    assert!(
        done.err()
            .starts_with("clsh: the command is too long for --bare"),
        "{}",
        done.err()
    );
}

#[test]
fn a_far_side_that_no_signal_reaches_ends_by_its_lifeline_while_the_run_goes_on() {
    let nap = nap();
    let fake = Fake::new(r#"exec setsid -w sh -c "$line""#);
    let command = format!(
        "[ $CLSH_RANK = 0 ] && exec sleep {nap}; echo up; while [ ! -e go ]; do sleep 0.01; done; echo done"
    );
    let running = start(&mut fake.call("n[1-2]", &["-f", "1", "-u", "2", &command]));
    running.stdout.wait_for("n2: up\n");
    wait_until("the first node's end", || count(&["sleep", &nap]) == 0);
    std::fs::write(fake.path().join("go"), "").expect("write");
    let done = running.finish();
    assert_eq!(done.out(), labelled("n2", &["up", "done"]));
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n1: timed out\n".into())
    );
}

#[test]
fn the_command_s_environment_is_the_node_s_own() {
    let names = [
        "ask", "before", "command", "first", "gone", "grace", "group", "input", "key", "line",
        "mask", "name", "nonce", "outer", "parent", "pid", "stat", "status", "stop", "text",
        "watcher",
    ];
    let given: Vec<String> = names.iter().map(|name| format!("{name}=its-own")).collect();
    let transport = format!("env NODE=%h {} sh -c", given.join(" "));
    let shown: Vec<String> = names.iter().map(|name| format!("${name}")).collect();
    let command = format!("echo {}", shown.join(" "));
    for input in [&["-n"][..], &[]] {
        let mut call = clsh_with(["-h", "n1", "-R", &transport]);
        call.args(input).arg(&command);
        let done = run(&mut call);
        let expected = format!("n1: {}\n", vec!["its-own"; names.len()].join(" "));
        assert_eq!((done.code(), done.out()), (0, expected), "{}", done.err());
    }
}
