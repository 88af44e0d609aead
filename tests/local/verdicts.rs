//! What a command returns is what clsh returns, with `-R exec`.

use crate::kit::{Stray, count, exec, labelled, nap};
use crate::support::{clsh_with, run, scratch, script, start, wait_until};
use std::fs;

#[test]
fn the_largest_status_any_node_returned_is_the_status_of_the_run() {
    for (list, wanted) in [
        ("0", 0),
        ("7", 7),
        ("0,7,3", 7),
        ("254,1", 254),
        ("255", 255),
        ("130,2", 130),
    ] {
        for flag in ["-q", "-S"] {
            let done = run(&mut exec(list, [flag, "sh", "-c", "exit %h"]));
            assert_eq!((done.code(), done.out()), (wanted, String::new()), "{list}");
        }
    }
}

#[test]
fn a_status_of_255_is_the_commands_own_and_no_lost_connection() {
    let done = run(&mut exec(
        "n[1-3]",
        ["sh", "-c", "[ %n = 1 ] && exit 255; sleep 0.2; echo done"],
    ));
    assert_eq!(done.sorted(), ["n1: done", "n3: done"]);
    assert_eq!(done.code(), 255);
    assert_eq!(done.err(), "clsh: n2: exited with exit code 255\n");
}

#[test]
fn a_command_ended_by_a_signal_counts_128_and_its_number() {
    // 34 and 64 are the first and last of the real-time signals that programs use.
    for signal in [1, 9, 11, 15, 34, 64] {
        let done = run(&mut exec("n1", ["sh", "-c", &format!("kill -{signal} $$")]));
        assert_eq!(done.code(), 128 + signal);
        let wanted = format!("clsh: n1: exited with exit code {}\n", 128 + signal);
        assert_eq!(done.err(), wanted);
    }
}

#[test]
fn a_script_without_an_interpreter_is_one_for_sh() {
    let directory = scratch();
    script(directory.path(), "plain", "echo \"$0 [$1] [$2]\"; exit 7\n");
    for name in ["./plain", "plain"] {
        let mut call = exec("n1", [name, "a b", "%h"]);
        let path = format!("{}:/usr/bin:/bin", directory.path().display());
        let done = run(call.current_dir(directory.path()).env("PATH", path));
        let called = match name {
            "plain" => format!("{}/plain", directory.path().display()),
            name => name.to_owned(),
        };
        let line = format!("{called} [a b] [n1]");
        assert_eq!((done.code(), done.out()), (7, labelled("n1", &[&line])));
    }
}

#[test]
fn nodes_with_the_same_status_are_folded_into_one_line_each() {
    let done = run(&mut exec(
        "n[1-6]",
        ["sh", "-c", "case %h in n3|n5) exit 7;; n6) exit 1;; esac"],
    ));
    assert_eq!(
        done.err(),
        "clsh: n6: exited with exit code 1\nclsh: n[3,5] (2): exited with exit code 7\n"
    );
    assert_eq!(done.code(), 7);
    let quiet = run(&mut exec("n[1-6]", ["-q", "sh", "-c", "exit 7"]));
    assert_eq!((quiet.code(), quiet.err()), (7, String::new()));
}

#[test]
fn a_node_that_runs_into_the_time_limit_is_ended_and_the_others_finish() {
    let nap = nap();
    let command = format!("[ %h = n2 ] && exec sleep {nap}; echo ok");
    let done = run(&mut exec("n[1-3]", ["-u", "1.5", "sh", "-c", &command]));
    assert_eq!(done.sorted(), ["n1: ok", "n3: ok"]);
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n2: timed out\n".into())
    );
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn a_node_past_the_time_limit_that_ignores_sigterm_is_killed() {
    let nap = nap();
    let command = format!("trap '' TERM; echo up; exec sleep {nap}");
    let call = ["-u", "0.2", "--kill-after", "0.2", "sh", "-c", &command];
    let done = run(&mut exec("n[1-3]", call));
    assert_eq!(
        (done.code(), done.err()),
        (124, "clsh: n[1-3] (3): timed out\n".into())
    );
    assert_eq!(count(&["sleep", &nap]), 0);
}

#[test]
fn each_node_has_the_time_limit_for_itself_from_its_own_start() {
    // One after the other they take longer than the limit together.
    let call = ["-f", "1", "-u", "3", "sh", "-c", "sleep 0.7; echo ok"];
    let done = run(&mut exec("n[1-6]", call));
    assert_eq!((done.code(), done.sorted().len()), (0, 6), "{}", done.err());
}

#[test]
fn a_program_that_is_not_there_is_a_wrong_call() {
    for (program, named) in [
        ("no-such-program-here", "'no-such-program-here'"),
        ("/no/such/program", "'/no/such/program'"),
        ("./here", "'./here'"),
    ] {
        let directory = scratch();
        let done = run(exec("n[1-3]", [program, "x"]).current_dir(directory.path()));
        assert_eq!((done.code(), done.out()), (2, String::new()));
        let err = done.err();
        assert!(err.starts_with("clsh: ") && err.contains(named), "{err}");
        assert_eq!(err.lines().count(), 1, "{err}");
    }
}

#[test]
fn a_program_that_is_not_there_for_one_node_is_named_and_the_others_run() {
    let done = run(&mut exec("cat,no-such-program-here", ["%h", "/dev/null"]));
    assert_eq!(done.code(), 127);
    let err = done.err();
    let said: Vec<&str> = err.lines().collect();
    assert_eq!(said.len(), 2, "{err}");
    assert!(
        said[0].contains("cannot run 'no-such-program-here'"),
        "{err}"
    );
    assert_eq!(
        said[1],
        "clsh: no-such-program-here: exited with exit code 127"
    );
}

#[test]
fn a_file_that_cannot_be_run_says_why_and_counts_126() {
    let directory = scratch();
    fs::write(directory.path().join("data"), "no program").expect("write");
    let done = run(exec("n[1-2]", ["./data"]).current_dir(directory.path()));
    assert_eq!(done.code(), 126);
    let err = done.err();
    assert!(
        err.contains("cannot run './data': Permission denied"),
        "{err}"
    );
    assert!(
        err.contains("clsh: n[1-2] (2): exited with exit code 126"),
        "{err}"
    );
}

#[test]
fn placeholders_are_replaced_in_every_word_and_other_percent_signs_stay() {
    let call = [
        "printf", "[%%s]", "%h", "%n", "%u", "%%", "%%h", "%x", "%", "a%hb%hc", "%H%N",
    ];
    // printf reads `[%s]` once `%%` is one percent sign.
    let mut command = clsh_with(["-h", "n[08-09]", "-l", "eve", "-R", "exec"]);
    let done = run(command.args(call));
    let line = |host: &str, rank| {
        format!("{host}: [{host}][{rank}][eve][%][%h][%x][%][a{host}b{host}c][%H%N]")
    };
    assert_eq!(done.sorted(), [line("n08", 0), line("n09", 1)]);
    assert_eq!((done.code(), done.err()), (0, String::new()));
}

#[test]
fn words_reach_a_program_as_they_were_typed_and_no_shell_sees_them() {
    let directory = scratch();
    let odd = [
        "a b",
        "",
        "$HOME",
        "*",
        "'q'",
        "\"d\"",
        "back\\slash",
        "x\ny",
        ";id",
        "`id`",
    ];
    let mut words = vec!["printf", "[%%s]"];
    words.extend(odd);
    let done = run(exec("n1", words).current_dir(directory.path()));
    let wanted: String = odd.iter().map(|word| format!("[{word}]")).collect();
    assert_eq!(
        done.out(),
        format!("n1: {}\n", wanted.replace('\n', "\nn1: "))
    );
}

#[test]
fn commands_know_their_host_their_rank_and_how_many_there_are() {
    let mut call = exec(
        "n[5-6],bob@web:22",
        ["sh", "-c", "echo $CLSH_HOST $CLSH_RANK $CLSH_COUNT"],
    );
    // What the caller's environment says of these does not reach them.
    let done = run(call.env("CLSH_HOST", "other").env("CLSH_RANK", "99"));
    assert_eq!(done.sorted(), ["n5: n5 0 3", "n6: n6 1 3", "web: web 2 3"]);
}

#[test]
fn the_environment_and_the_directory_pass_to_commands() {
    let directory = scratch();
    fs::write(directory.path().join("here"), "file\n").expect("write");
    let mut call = exec("n1", ["sh", "-c", "cat here; echo \"$ODD\""]);
    let done = run(call.current_dir(directory.path()).env("ODD", "a=b c"));
    assert_eq!(done.out(), labelled("n1", &["file", "a=b c"]));
}

#[test]
fn a_background_process_that_holds_the_output_does_not_hold_the_run() {
    let nap = nap();
    let stray = Stray::new(&["sleep", &nap]);
    let done = run(&mut exec(
        "n[1-3]",
        ["sh", "-c", &format!("sleep {nap} & echo hi; exit 4")],
    ));
    assert_eq!(done.sorted(), ["n1: hi", "n2: hi", "n3: hi"]);
    assert_eq!(done.code(), 4);
    assert_eq!(stray.count(), 3);
}

#[test]
fn a_background_flood_after_the_exit_does_not_hold_the_run() {
    let nap = nap();
    let stray = Stray::new(&["yes", &nap]);
    let done = run(&mut exec(
        "n[1-2]",
        ["sh", "-c", &format!("echo hi; yes {nap} & exit 4")],
    ));
    assert_eq!(done.code(), 4);
    let out = done.out();
    for node in ["n1", "n2"] {
        let label = format!("{node}: ");
        let mut lines = out.lines().filter_map(|line| line.strip_prefix(&label));
        assert!(lines.any(|line| line == "hi"), "hi of {node}");
    }
    // Nobody reads them any more, so they end by themselves.
    wait_until("no flood", || stray.count() == 0);
}

#[test]
fn output_that_a_background_process_writes_within_the_grace_is_printed() {
    let directory = scratch();
    let command = "(while [ ! -e go ]; do sleep 0.01; done; echo late) & echo early";
    let running = start(exec("n1", ["sh", "-c", command]).current_dir(directory.path()));
    running.stdout.wait_for("n1: early\n");
    fs::write(directory.path().join("go"), "").expect("write");
    // Either it came in time or not; what is printed is whole, and the run ends.
    let done = running.finish();
    let early = labelled("n1", &["early"]);
    let both = labelled("n1", &["early", "late"]);
    assert!(done.out() == early || done.out() == both, "{}", done.out());
    assert_eq!(done.code(), 0);
}

#[test]
fn a_program_is_looked_for_along_path() {
    let directory = scratch();
    script(directory.path(), "only-here", "#!/bin/sh\necho found $1\n");
    let mut call = exec("n[1-2]", ["only-here", "%h"]);
    let path = format!("{}:/usr/bin:/bin", directory.path().display());
    let done = run(call.env("PATH", path));
    assert_eq!(done.sorted(), ["n1: found n1", "n2: found n2"]);
}
