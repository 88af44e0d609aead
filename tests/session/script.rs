//! A session whose lines come from a pipe or a file (`-i`): stdout carries the nodes' lines and nothing else, to the byte.

use crate::kit::{INT, Mark, RULE, exec, nap, napping, script, scripted, sorted, with_stdin};
use crate::support::{start, wait_until};
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_script_keeps_its_shells_and_prints_nothing_but_the_nodes_lines() {
    let done = script("node[1-2]", "cd /etc\npwd\n");
    assert_eq!(done.sorted(), ["node1: /etc", "node2: /etc"]);
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
}

#[test]
fn comments_empty_lines_carriage_returns_and_a_last_line_without_newline_are_taken() {
    let done = script("n1", "#!/usr/bin/clsh\n\n  # x\necho one\r\necho two");
    assert_eq!(done.out(), "n1: one\nn1: two\n");
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
}

#[test]
fn an_empty_script_is_fine() {
    for text in ["", "\n", "quit\n"] {
        let done = script("n1", text);
        assert_eq!(
            (done.out().as_str(), done.err().as_str(), done.code()),
            ("", "", 0)
        );
    }
}

#[test]
fn a_pipe_that_stays_open_is_worked_off_line_by_line() {
    let mut running = start(exec("n1", ["-i"]).stdin(Stdio::piped()));
    let mut pipe = running.stdin();
    for word in ["one", "two"] {
        writeln!(pipe, "echo {word}").expect("write");
        running.stdout.wait_for(&format!("n1: {word}\n"));
    }
    write!(pipe, "echo th").expect("write");
    writeln!(pipe, "ree").expect("write");
    running.stdout.wait_for("n1: three\n");
    drop(pipe);
    let done = running.finish().without_prompts();
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
}

#[test]
fn the_status_is_that_of_the_last_command_and_the_largest_of_all_nodes() {
    for (text, status) in [
        ("(exit 5)\ntrue\n", 0),
        ("true\n(exit 5)\n", 5),
        ("(exit $((CLSH_RANK + 3)))\n", 5),
        ("(exit 7)\n\n# nothing\n", 7),
        ("(exit 7)\nquit\n", 7),
        ("(exit 7)\nexit\n", 7),
        ("(exit 7)\nexit 3\n", 3),
        ("(exit 255)\n", 255),
        ("sh -c 'kill -9 $$'\n", 137),
    ] {
        assert_eq!(script("n[1-3]", text).code(), status, "{text:?}");
    }
}

#[test]
fn statuses_are_summed_up_on_stderr_unless_it_is_quiet() {
    let text = "test $CLSH_RANK -gt 0 || (exit 4)\n";
    let done = script("n[1-2]", text);
    assert_eq!(
        (done.out().as_str(), done.err().as_str()),
        ("", "clsh: n1: exited with exit code 4\n")
    );
    let done = scripted(exec("n[1-2]", ["-q"]), text);
    assert_eq!(
        (done.out().as_str(), done.err().as_str(), done.code()),
        ("", "", 4)
    );
}

#[test]
fn quit_and_exit_stop_the_reading() {
    for word in ["quit", "exit", "exit 0"] {
        let done = script("n1", format!("echo before\n{word}\necho after\n"));
        assert_eq!(
            (done.out().as_str(), done.code()),
            ("n1: before\n", 0),
            "{word}"
        );
    }
}

#[test]
fn a_wrong_line_has_the_status_2_and_the_next_one_is_taken() {
    for wrong in [
        ":nope",
        ":use",
        ":use n9",
        ":on n1",
        ":gather maybe",
        ":all n1",
        "!",
        ":reconnect n1",
        "a\0b",
    ] {
        let done = script("n1", format!("echo before\n{wrong}\necho after\n"));
        assert_eq!(
            (done.out().as_str(), done.code()),
            ("n1: before\nn1: after\n", 0),
            "{wrong:?}"
        );
        let done = script("n1", format!("echo before\n{wrong}\n"));
        assert_eq!(
            (done.out().as_str(), done.code()),
            ("n1: before\n", 2),
            "{wrong:?}"
        );
        let error = done.err();
        assert!(
            error.starts_with("clsh: ") && error.lines().count() == 1,
            "{error:?}"
        );
    }
}

#[test]
fn a_line_over_a_mebibyte_is_refused_and_one_below_runs() {
    let word = "x".repeat((1 << 20) - 10);
    let done = script("n1", format!(": {word}; echo ran\n"));
    assert_eq!(done.code(), 2, "{}", done.err());
    let done = script("n1", format!(": {}; echo ran\n", &word[..word.len() - 20]));
    assert_eq!((done.out().as_str(), done.code()), ("n1: ran\n", 0));
}

#[test]
fn i_puts_prompts_and_rules_on_stderr() {
    let done = with_stdin(exec("n1", ["-i"]), "echo out\ncd /etc\nquit\n");
    assert_eq!((done.out().as_str(), done.code()), ("n1: out\n", 0));
    let wanted = format!(
        "Enter 'quit' to leave this interactive mode\nWorking with nodes: n1\nclsh> echo out\n{RULE}\n{RULE}\nclsh> cd /etc\n{RULE}\n{RULE}\nclsh> quit\n"
    );
    assert_eq!(done.err(), wanted);
}

#[test]
fn with_i_a_wrong_line_does_not_end_it_and_the_end_of_input_leaves() {
    let done = with_stdin(exec("n1", ["-i"]), ":nope\necho on\n");
    assert_eq!((done.out().as_str(), done.code()), ("n1: on\n", 0));
    let error = done.err();
    assert!(
        error.contains("clsh> :nope\nclsh: there is no ':nope'"),
        "{error}"
    );
    assert!(error.ends_with("clsh> \n"), "{error:?}");
}

#[test]
fn bytes_come_as_they_are() {
    let done = script("n1", "printf 'a\\000b\\377\\033[2J\\r\\nlast'\n");
    assert_eq!(done.stdout, b"n1: a\0b\xff\x1b[2J\r\nn1: last\n");
    // A command may hold them, too.
    let done = script("n1", b"printf '\xff\x01%s\\n' '\xfe'\n");
    assert_eq!(done.stdout, b"n1: \xff\x01\xfe\n");
}

#[test]
fn five_megabytes_come_to_the_byte() {
    let text = "head -c 5242880 /dev/zero | tr '\\0' '\\377' | fold -b -w 1000\nprintf end\n";
    let done = script("n[1-2]", text);
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
    let mut line = vec![0xff; 1000];
    line.push(b'\n');
    for label in ["n1: ", "n2: "] {
        let lines = done.stdout.split_inclusive(|&byte| byte == b'\n');
        let own: Vec<u8> = lines
            .filter_map(|line| line.strip_prefix(label.as_bytes()))
            .flatten()
            .copied()
            .collect();
        let whole = own.chunks(1001).take_while(|chunk| *chunk == line).count();
        assert_eq!(whole, 5242, "{label}");
        assert_eq!(own.len(), 5242 * 1001 + 881 + 4, "{label}");
        assert!(own.ends_with(b"\xff\nend\n"), "{label}");
    }
}

#[test]
fn a_command_in_a_script_finds_nothing_to_read() {
    let done = script("n1", "cat\nread x || echo nothing\necho next\n");
    assert_eq!(done.out(), "n1: nothing\nn1: next\n");
    assert_eq!(done.code(), 0);
}

#[test]
fn stdout_and_stderr_of_the_nodes_stay_apart_and_a_redirection_of_both_lasts() {
    for shell in crate::kit::SHELLS {
        let text = "echo out; echo err >&2\nexec 2>&1\necho both >&2\nexec >/dev/null\necho gone\n(exit 6)\n";
        let done = scripted(exec("n1", ["--shell", shell]), text);
        assert_eq!(done.out(), "n1: out\nn1: both\n", "{shell}");
        assert_eq!(
            done.err(),
            "n1: err\nclsh: n1: exited with exit code 6\n",
            "{shell}"
        );
        assert_eq!(done.code(), 6, "{shell}");
    }
}

#[test]
fn a_script_sees_no_answer_of_clsh_on_stdout() {
    let done = script("n[1-2]", ":help\n:nodes\n:use n2\n:all\n:gather off\n");
    assert_eq!((done.out().as_str(), done.code()), ("", 0));
    assert!(done.err().contains("NODE  STATE"), "{}", done.err());
}

#[test]
fn a_local_command_in_a_script_is_labelled_and_finds_nothing_to_read() {
    let done = script("n1", "!echo here; cat; echo err >&2\necho there\n!exit 3\n");
    assert_eq!(done.out(), "LOCAL: here\nn1: there\n");
    assert_eq!(
        done.err(),
        "LOCAL: err\nclsh: LOCAL: exited with exit code 3\n"
    );
    assert_eq!(done.code(), 3);
}

#[test]
fn a_full_screen_program_in_a_script_is_a_command_like_any() {
    let done = script("n1", "!less /etc/hostname\n");
    let name = std::fs::read_to_string("/etc/hostname").expect("a name");
    assert_eq!(done.out(), format!("LOCAL: {name}"));
    assert_eq!(done.code(), 0);
}

#[test]
fn gathered_lines_are_a_scripts_output_too() {
    let done = script("n[1-3]", ":gather on\necho $((CLSH_RANK / 2))\n");
    let rule = "-".repeat(15);
    assert_eq!(
        done.out(),
        format!("{rule}\nn[1-2] (2)\n{rule}\n0\n{rule}\nn3\n{rule}\n1\n")
    );
    assert_eq!((done.err().as_str(), done.code()), ("", 0));
}

#[test]
fn a_flood_is_gathered_as_well_and_the_next_command_waits_until_it_is_shown() {
    let text =
        ":gather on\nhead -c 9437184 /dev/zero | tr '\\0' x | fold -w 65535\n(exit 3)\necho end\n";
    let done = script("n[1-2]", text);
    let (rule, out) = ("-".repeat(15), done.out());
    let header = format!("{rule}\nn[1-2] (2)\n{rule}\n");
    let shown = out.strip_prefix(&header).expect("a header");
    let flood = shown
        .strip_suffix(&format!("{header}end\n"))
        .expect("the end");
    assert_eq!(flood.lines().count(), 9437184 / 65535 + 1);
    assert_eq!(flood.matches('x').count(), 9437184);
    assert_eq!(done.err(), "clsh: n[1-2] (2): exited with exit code 3\n");
}

#[test]
fn an_interrupt_ends_a_script_that_is_no_session_with_130() {
    let (nap, mark) = (nap(), Mark::new());
    let mut call = exec("n[1-2]", []);
    call.env(Mark::NAME, mark.value()).stdin(Stdio::piped());
    let mut running = start(&mut call);
    let mut pipe = running.stdin();
    writeln!(pipe, "sleep {nap}\necho NOT").expect("write");
    wait_until("both naps", || napping(&nap) == 2);
    running.signal(INT);
    let done = running.finish();
    assert_eq!((done.out().as_str(), done.code()), ("", 130));
    mark.wait_for_nobody();
}

#[test]
fn a_reader_that_leaves_ends_a_script() {
    let (mark, shell) = (
        Mark::new(),
        "printf 'yes\\necho NOT >&2\\n' | \"$@\" | head -n 1",
    );
    let call = exec("n1", ["-i"]);
    let mut piped = std::process::Command::new("bash");
    piped.args(["-c", &format!("{shell}; echo ${{PIPESTATUS[1]}}"), "bash"]);
    piped.arg(call.get_program()).args(call.get_args());
    let done = crate::support::run(piped.env(Mark::NAME, mark.value()).stdin(Stdio::null()));
    let done = done.without_prompts();
    assert_eq!(
        (done.out().as_str(), done.err().as_str()),
        ("n1: y\n141\n", "")
    );
    mark.wait_for_nobody();
}

#[test]
fn lines_of_two_commands_never_overtake_each_other() {
    let text: String = (0..40)
        .map(|number| format!("echo {number}; echo {number} >&2\n"))
        .collect();
    let mut call = exec("n[1-4]", ["-i"]);
    let directory = crate::support::scratch();
    let path = directory.path().join("script");
    std::fs::write(&path, text).expect("write");
    call.stdin(std::fs::File::open(path).expect("open"));
    let done = crate::support::run(&mut call);
    for (number, lines) in done.out().lines().collect::<Vec<_>>().chunks(4).enumerate() {
        let wanted: Vec<String> = (1..=4).map(|node| format!("n{node}: {number}")).collect();
        assert_eq!(sorted(&lines.join("\n")), wanted);
    }
    assert_eq!(done.code(), 0);
}
