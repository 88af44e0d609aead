//! Goal: a session on real sshd nodes carries whatever is said to it, and its state lasts. Method: four nodes and several shells; what
//! a person sees is compared line by line, and what goes through in bulk byte by byte.

use crate::nodes::{Sleep, nodes};
use crate::support::{self, Cluster, Finished};
use crate::talk::{Talk, from_each, summed_up};
use std::fmt::Write as _;
use std::io::Write;
use std::process::Stdio;

/// The default, and the shells that are named.
const SHELLS: [&[&str]; 4] = [
    &[],
    &["--shell", "dash"],
    &["--shell", "bash"],
    &["--shell", "busybox sh"],
];

/// Shells whose interrupts differ; their state does not.
const OTHERS: [&[&str]; 3] = [
    &["--shell", "zsh"],
    &["--shell", "ksh"],
    &["--shell", "mksh"],
];

/// Runs a session on what its stdin holds; without what it says of itself.
fn script(words: &[&str], text: &[u8]) -> Finished {
    let mut call = nodes().clsh(words);
    call.arg("-i");
    let mut clsh = support::start(call.stdin(Stdio::piped()));
    clsh.stdin().write_all(text).expect("write");
    clsh.finish().without_prompts()
}

/// Says lines of which nothing is to be heard.
fn in_silence(talk: &mut Talk, lines: &[&str]) {
    for line in lines {
        let answer = talk.ask(line);
        assert_eq!(
            (answer.lines, answer.notes),
            (vec![], String::new()),
            "{line}"
        );
    }
}

#[test]
fn directory_variables_functions_and_umask_last_on_every_node_in_every_shell() {
    for options in SHELLS.iter().chain(&OTHERS) {
        let mut talk = Talk::on("node[1-4]", options);
        let lines = [
            "cd /usr",
            "word='a b'",
            "say() { echo \"<$word $1>\"; }",
            "umask 027",
            "export passed=on",
            "set -- one two",
        ];
        in_silence(&mut talk, &lines);
        talk.expect("pwd", 4, "/usr");
        talk.expect("say x", 4, "<a b x>");
        talk.expect("sh -c umask", 4, "0027");
        talk.expect("sh -c 'echo $passed'", 4, "on");
        talk.expect("cd /; (cd /usr; word=); pwd", 4, "/");
        talk.expect("say z", 4, "<a b z>");
        talk.quit(0);
    }
}

#[test]
fn redirections_by_exec_last_and_the_prompt_comes_back_all_the_same() {
    for options in SHELLS.iter().skip(1) {
        let mut call = nodes().clsh([&["-i", "-h", "node[1-4]"], *options].concat());
        let mut clsh = support::start(call.stdin(Stdio::piped()));
        let lines = "exec 2>&1\necho moved >&2\nexec 3>&1 >/dev/null 2>/dev/null\necho unseen; echo unseen >&2\n\
                     exec >&3 2>&3 3>&-\necho seen\nexec >&- 2>&-\ntrue\n(exit 7)\n";
        clsh.stdin().write_all(lines.as_bytes()).expect("write");
        let done = clsh.finish();
        assert_eq!(
            done.sorted(),
            from_each(4, &["moved", "seen"]),
            "{options:?}"
        );
        assert_eq!(done.code(), 7, "{options:?}: {}", done.err());
        let said = done.err();
        assert!(!said.contains("node1: "), "{said}");
        assert!(said.contains(&summed_up(4, 7)), "{said}");
    }
}

#[test]
fn stdout_and_stderr_of_the_nodes_stay_apart_and_prompts_go_to_stderr() {
    let mut call = nodes().clsh(["-i", "-h", "node[1-4]"]);
    let mut clsh = support::start(call.stdin(Stdio::piped()));
    let text = "echo out; echo err >&2\n";
    clsh.stdin().write_all(text.as_bytes()).expect("write");
    let done = clsh.finish();
    assert_eq!((done.code(), done.sorted()), (0, from_each(4, &["out"])));
    let mut err: Vec<String> = done.err().lines().map(str::to_owned).collect();
    err.retain(|line| line.starts_with("node"));
    err.sort();
    assert_eq!(err, from_each(4, &["err"]));
    assert!(done.err().contains("clsh> echo out"), "{}", done.err());
    let done = script(&["-h", "node[1-4]"], text.as_bytes());
    assert_eq!((done.code(), done.sorted()), (0, from_each(4, &["out"])));
    let mut err: Vec<String> = done.err().lines().map(str::to_owned).collect();
    err.sort();
    assert_eq!(err, from_each(4, &["err"]));
}

#[test]
fn a_prompt_is_shown_once() {
    let mut talk = Talk::on("node[1-2]", &[]);
    for line in ["true", "sleep 0.1", "", ":all"] {
        talk.ask(line);
        // What makes the loop turn at the prompt draws nothing anew.
        talk.clsh.signal(28);
    }
    talk.close();
    let heard = talk.finish().out();
    let prompts = heard.matches("clsh> ").count();
    assert_eq!(prompts, 5, "{heard}");
}

#[test]
fn a_last_line_without_a_newline_is_a_line() {
    for options in SHELLS {
        let mut talk = Talk::on("node[1-4]", options);
        talk.expect("printf part", 4, "part");
        talk.expect("printf 'a b' >&2", 4, "a b");
        let answer = talk.ask("printf out; printf err >&2; (exit 4)");
        assert_eq!(answer.lines, from_each(4, &["err", "out"]));
        assert_eq!(answer.notes, summed_up(4, 4));
        // What looks like a report of the shell is none.
        talk.expect("printf '\\036x done 1 0\\036'", 4, "\u{1e}x done 1 0\u{1e}");
        talk.quit(0);
    }
}

/// The lines of each node, its label taken off, in their order.
fn by_node(stdout: &[u8]) -> Vec<Vec<u8>> {
    let mut found = vec![Vec::new(); 4];
    for line in stdout.split_inclusive(|&byte| byte == b'\n') {
        let number = line.strip_prefix(b"node").and_then(|rest| rest.first());
        let number = usize::from(number.expect("a label") - b'1');
        found[number].extend_from_slice(line.get(7..).expect("a label"));
    }
    found
}

#[test]
fn binary_output_of_several_nodes_passes_unchanged() {
    let directory = support::scratch();
    let path = directory.path().join("bytes");
    let mut state = 1_u32;
    let mut bytes: Vec<u8> = (0..300_000)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect();
    bytes.extend(0..=255);
    std::fs::write(&path, &bytes).expect("write");
    bytes.push(b'\n');
    for options in SHELLS.into_iter().skip(1) {
        let words = [&["-h", "node[1-4]"], options].concat();
        let text = format!("cat {0}\ncat {0} >&2\n", path.display());
        let done = script(&words, text.as_bytes());
        assert_eq!(done.code(), 0);
        for found in by_node(&done.stdout).iter().chain(&by_node(&done.stderr)) {
            assert!(*found == bytes, "{} of {}", found.len(), bytes.len());
        }
    }
}

#[test]
fn twenty_megabytes_from_four_nodes_are_complete_and_in_order() {
    let mut expected = String::new();
    for number in 1..=750_000 {
        writeln!(expected, "{number}").expect("write");
    }
    assert!(expected.len() > 5_000_000);
    expected.push_str("next\n");
    let done = script(&["-h", "node[1-4]"], b"seq 750000\necho next\n");
    assert_eq!((done.code(), done.err()), (0, String::new()));
    for (rank, found) in by_node(&done.stdout).iter().enumerate() {
        assert!(
            found == expected.as_bytes(),
            "node{}: {} bytes",
            rank + 1,
            found.len()
        );
    }
}

#[test]
fn a_command_that_reads_finds_nothing_and_takes_nothing_from_the_next() {
    for options in SHELLS.iter().skip(1) {
        let words = [&["-h", "node[1-4]"], *options].concat();
        let text = b"cat; read x; echo \"<$x>\"\nsh -c 'head -n 3'\necho next\ncat - /dev/stdin\necho last\n";
        let done = script(&words, text);
        assert_eq!(done.sorted(), from_each(4, &["<>", "last", "next"]));
        assert_eq!((done.code(), done.err()), (0, String::new()), "{options:?}");
    }
}

#[test]
fn errors_of_syntax_are_the_command_s_alone() {
    let wrong = [
        "echo (", "if then", "fi", "for", ";;", "done", "echo )", "}",
    ];
    for options in SHELLS {
        let mut talk = Talk::on("node[1-4]", options);
        let before = talk.mark();
        in_silence(&mut talk, &["kept=yes"]);
        for line in wrong {
            let answer = talk.ask(line);
            assert!(!answer.lines.is_empty(), "{line}: nothing was said");
            let sum = "clsh: node[1-4] (4): exited with exit code ";
            assert!(answer.notes.starts_with(sum), "{line}: {answer:?}");
            talk.expect("echo $kept", 4, "yes");
        }
        // Odd, and right.
        talk.expect("echo it\\'s '\"' \"'\" # 'comment", 4, "it's \" '");
        assert_eq!(talk.mark(), before, "the shells are the same");
        talk.quit(0);
    }
}

/// Runs on node2 what ends its shell with this status; the others go on, and it comes back.
fn ends_node2(talk: &mut Talk, line: &str, status: i32) {
    let line = format!("if [ $CLSH_RANK = 1 ]; then {line}; fi; echo on");
    let answer = talk.ask(&line);
    let mut lines = answer.lines;
    // bash says what was wrong.
    lines.retain(|line| !line.starts_with("node2: "));
    assert_eq!(lines, [1, 3, 4].map(|k| format!("node{k}: on")), "{line}");
    let note = format!(
        "clsh: node2: the shell ended with exit code {status}; ':reconnect node2' starts a new one\n"
    );
    assert_eq!(answer.notes, note, "{line}");
    let table = talk.ask(":nodes").text;
    let words: Vec<&str> = table.split_whitespace().collect();
    let row = format!("node2 ended ({status}) yes {status} ");
    assert!(words.join(" ").contains(&row), "{table}");
    let answer = talk.ask("echo still; (exit 2)");
    assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: still")));
    assert_eq!(
        answer.notes,
        "clsh: node[1,3-4] (3): exited with exit code 2\n"
    );
    let note = talk.ask(":reconnect").text;
    let back = "clsh: node2: connected again, with a new shell";
    assert!(note.starts_with(back), "{note}");
    talk.expect("echo all", 4, "all");
}

#[test]
fn a_shell_that_ends_is_reported_with_its_status_and_the_others_go_on() {
    let both: &[(&str, i32)] = &[("f() { exit 3; }; f", 3), ("exec true", 0)];
    let dash: &[(&str, i32)] = &[("kill -9 $$", 137), ("exec sh -c 'exit 255'", 255)];
    let bash: &[(&str, i32)] = &[("echo ${Y:?}", 1), ("set -e; false", 1)];
    for (shell, more) in [("dash", dash), ("bash", bash), ("busybox sh", &[])] {
        let mut talk = Talk::on("node[1-4]", &["--shell", shell]);
        for (line, status) in both.iter().chain(more) {
            ends_node2(&mut talk, line, *status);
        }
        talk.quit(0);
    }
}

#[test]
fn login_shells_of_all_kinds_carry_a_session() {
    if crate::farm::without_users("sessions through every login shell") {
        return;
    }
    let farm = crate::farm::farm();
    let shells = ["bash", "dash", "zsh", "fish", "tcsh", "ash"];
    let words = shells.map(|shell| {
        let user = farm.user(&format!("session-{shell}"), &farm.shell(shell));
        format!("{user}@node1")
    });
    let list = words.join(",");
    let lines = |said: &str| {
        let mut lines = words.clone().map(|word| format!("{word}: {said}"));
        lines.sort();
        lines.to_vec()
    };
    let mut talk = Talk::with(&farm.cluster.clsh(["-i", "-h", &list]));
    in_silence(
        &mut talk,
        &["cd /usr; f() { echo \"$1 it's !x \\\\ $x\"; }", "x='v\"'"],
    );
    assert_eq!(talk.ask("f \"$PWD\"").lines, lines("/usr it's !x \\ v\""));
    let sleep = Sleep::new(711);
    let line = format!("{}; echo NOT", sleep.command());
    talk.say(&line);
    sleep.wait_for(6);
    talk.interrupt();
    let answer = talk.answer_to(&line);
    assert_eq!(
        answer.notes,
        format!("clsh: {list} (6): exited with exit code 130\n")
    );
    sleep.wait_gone();
    assert_eq!(talk.ask("f a").lines, lines("a it's !x \\ v\""));
    talk.mark();
    let traces = talk.traces();
    talk.quit(0);
    traces.wait_gone();
}

#[test]
fn a_command_here_is_labelled_and_leaves_the_nodes_alone() {
    let mut talk = Talk::on("node[1-2]", &[]);
    let answer = talk.ask("!echo \"$0\" >&2; printf 'a\\nb'; exit 4");
    assert_eq!(answer.lines.len(), 3, "{answer:?}");
    assert_eq!(&answer.lines[1..], ["LOCAL: a", "LOCAL: b"]);
    assert_eq!(answer.notes, "clsh: LOCAL: exited with exit code 4\n");
    talk.expect("echo ${CLSH_HOST:+far}", 2, "far");
    assert_eq!(talk.ask("!echo ${CLSH_HOST:-near}").lines, ["LOCAL: near"]);
    assert_eq!(talk.ask("!cat; echo end").lines, ["LOCAL: end"]);
    talk.quit(0);
}

#[test]
fn a_script_s_status_is_that_of_its_last_command_the_largest_of_all_nodes() {
    let status = |list: &str, text: &str| script(&["-h", list], text.as_bytes()).code();
    assert_eq!(status("node[1-2]", "exit 9\n"), 9);
    assert_eq!(status("node[1-2]", "false\ntrue\n"), 0);
    assert_eq!(status("node[1-2]", "true\n(exit $((CLSH_RANK + 2)))\n"), 3);
    assert_eq!(status("node[1-2]", "(exit $CLSH_RANK)\nquit\ntrue\n"), 1);
    assert_eq!(status("node[1-2]", "false\n\n# no command\n"), 1);
    assert_eq!(status("node[1-2]", "false\n!exit 5"), 5);
    assert_eq!(
        status(
            "node[1-2]",
            "true; if [ $CLSH_RANK = 1 ]; then exit 6; fi\n"
        ),
        6
    );
    assert_eq!(status("node[1-2]", ":nonsense\n"), 2);
    assert_eq!(status("node[1-2]", "sh -c 'kill -9 $$'\n"), 137);
    // One that is not there.
    assert_eq!(status("node[1-2],node9", "true\n"), 255);
    assert_eq!(status("node[1-2],node9", "exit 0\n"), 0);
    assert_eq!(status("node9", "true\n"), 255);
}

#[test]
fn a_node_over_its_time_is_ended_and_the_others_go_on() {
    let sleep = Sleep::new(712);
    let mut talk = Talk::on("node[1-4]", &["-u", "3"]);
    talk.mark();
    let far = talk.traces().far;
    let line = format!(
        "if [ $CLSH_RANK = 1 ]; then {}; fi; echo on",
        sleep.command()
    );
    let answer = talk.ask(&line);
    assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: on")));
    let note = "clsh: node2: the command took too long (-u) and was ended with its shell; ':reconnect node2' starts a new one\n";
    assert_eq!(answer.notes, note);
    sleep.wait_gone();
    support::wait_until("the end of node2's session", || {
        let alive = |&&session: &&i32| !crate::talk::in_sessions(&[session]).is_empty();
        far.iter().filter(alive).count() == 3
    });
    let answer = talk.ask("echo still");
    assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: still")));
    talk.ask(":reconnect");
    talk.expect("echo all", 4, "all");
    let traces = talk.traces();
    talk.say("quit");
    assert_eq!(talk.finish().code(), 0);
    traces.wait_gone();
}

#[test]
fn thirty_two_nodes_answer_at_once() {
    let cluster = Cluster::start(32, &[]);
    let mut talk = Talk::with(&cluster.clsh(["-i", "-t", "60", "-h", "node[1-32]"]));
    let heard = talk.heard();
    assert!(
        heard.contains("Working with nodes: node[1-32]\n"),
        "{heard}"
    );
    talk.expect("echo here", 32, "here");
    let shells = talk.mark();
    assert_eq!(shells.len(), 32);
    let sleep = Sleep::new(713);
    talk.say(&sleep.command());
    sleep.wait_for(32);
    talk.interrupt();
    assert_eq!(talk.answer_to(&sleep.command()).notes, summed_up(32, 130));
    sleep.wait_gone();
    talk.expect("echo again", 32, "again");
    let traces = talk.traces();
    assert_eq!(traces.far.len(), 32);
    talk.quit(0);
    traces.wait_gone();
}
