//! What a command does to its shell stays between the two: errors and settings don't end the session, and a shell that does end is
//! named while the others go on.

use crate::kit::{SHELLS, exec, nap, scripted};
use crate::terminal::sit;

#[test]
fn a_syntax_error_is_reported_and_the_shell_lives_on() {
    for shell in SHELLS {
        let mut terminal = sit("n[1-2]", ["--shell", shell]);
        terminal.run("x=kept");
        for wrong in ["if then", "fi", "echo )", "for"] {
            let (lines, below) = terminal.block(wrong);
            assert!(!lines.is_empty(), "{shell}: {wrong}");
            assert!(
                below.starts_with("clsh: n[1-2] (2): exited with exit code "),
                "{shell}: {wrong}: {below}"
            );
            assert_eq!(
                terminal.run("echo $x"),
                ["n1: kept", "n2: kept"],
                "{shell}: {wrong}"
            );
        }
        terminal.quit(0);
    }
}

/// One node's shell ends by this command, and nothing else happens.
fn one_shell_ends(shell: &str, command: &str, status: &str) {
    let mut terminal = sit("n[1-3]", ["--shell", shell]);
    let text = terminal.enter(&format!("test $CLSH_RANK -ne 1 || {command}"));
    let wanted = format!(
        "clsh: n2: the shell ended with exit code {status}; ':reconnect n2' starts a new one\n"
    );
    assert!(text.contains(&wanted), "{shell}: {command}: {text}");
    assert!(!text.contains("ERROR"), "{shell}: {command}: {text}");
    assert_eq!(
        terminal.run("echo on"),
        ["n1: on", "n3: on"],
        "{shell}: {command}"
    );
    let table = terminal.enter(":nodes");
    assert!(table.contains(&format!("ended ({status})")), "{table}");
    terminal.quit(0);
}

#[test]
fn a_shell_that_ends_is_reported_with_its_status_and_the_others_go_on() {
    for shell in SHELLS {
        one_shell_ends(shell, "{ f() { exit 3; }; f; }", "3");
        one_shell_ends(shell, "exec true", "0");
        one_shell_ends(shell, "exec sh -c 'exit 7'", "7");
        one_shell_ends(shell, "kill -9 $$", "137");
    }
}

#[test]
fn an_error_that_ends_a_bash_is_reported_like_any_end() {
    one_shell_ends("bash", ": ${Y:?}", "1");
}

#[test]
fn exit_within_a_subshell_ends_nothing() {
    let mut terminal = sit("n1", []);
    let (_, below) = terminal.block("(exit 3)");
    assert_eq!(below, "clsh: n1: exited with exit code 3\n");
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.quit(0);
}

#[test]
fn the_last_shell_that_ends_ends_the_session() {
    let mut terminal = sit("n[1-2]", []);
    terminal.type_keys("f() { exit 4; }; f\r");
    assert_eq!(terminal.finish(), 4, "{}", terminal.text());
    let text = terminal.text();
    // Shells that end at once are named together.
    let named =
        |names: &str| text.contains(&format!("clsh: {names}: the shell ended with exit code 4;"));
    assert!(named("n[1-2] (2)") || named("n1") && named("n2"), "{text}");
}

#[test]
fn settings_of_the_shell_do_not_break_the_session() {
    for shell in SHELLS {
        let mut terminal = sit("n[1-2]", ["--shell", shell]);
        for setting in [
            "set -u",
            "set -f",
            "set -v; set +v",
            "set -o noclobber",
            "unset HOME PS1 PS2 IFS OLDPWD",
            "IFS=x1_",
            "alias printf=false eval=false",
            "umask 077",
            "trap 'echo bye' EXIT",
            "set -- a b c",
            "set +e",
            "cd /tmp; cd - >/dev/null",
            "export LC_ALL=C",
            "readonly r=1",
            "ulimit -c 0",
            "hash -r",
        ] {
            assert_eq!(terminal.run(setting), [""; 0], "{shell}: {setting}");
            assert_eq!(
                terminal.run("echo on"),
                ["n1: on", "n2: on"],
                "{shell}: {setting}"
            );
        }
        let text = terminal.enter("test $CLSH_RANK -eq 0 || echo $NOT_SET_ANYWHERE");
        assert!(text.contains("clsh: n2: "), "{shell}: {text}");
        assert!(
            terminal.run("echo on").contains(&"n1: on".to_owned()),
            "{shell}"
        );
        drop(terminal);
    }
}

#[test]
fn an_alias_for_command_does_not_hang_the_session() {
    for shell in ["dash", "busybox sh"] {
        let call = crate::kit::exec("n1", ["--shell", shell]);
        let done = crate::kit::scripted(call, "alias command=false\necho on\n");
        assert_eq!(done.out(), "n1: on\n", "{shell}");
    }
}

#[test]
fn errexit_ends_the_shell_that_wished_it_and_only_at_an_error() {
    for shell in SHELLS {
        let mut terminal = sit("n[1-2]", ["--shell", shell]);
        assert_eq!(terminal.run("set -e"), [""; 0], "{shell}");
        assert_eq!(terminal.run("echo on"), ["n1: on", "n2: on"], "{shell}");
        let text = terminal.enter("test $CLSH_RANK -ne 0 || set +e; false; echo $CLSH_HOST lives");
        assert!(text.contains("n1: n1 lives\n"), "{shell}: {text}");
        assert!(!text.contains("n2 lives"), "{shell}: {text}");
        assert!(text.contains("clsh: n2: "), "{shell}: {text}");
        let lines = terminal.run("echo on");
        assert!(lines.contains(&"n1: on".to_owned()), "{shell}: {lines:?}");
        terminal.quit(0);
    }
}

#[test]
fn redirections_last_and_do_not_hang() {
    for shell in SHELLS {
        let mut terminal = sit("n1", ["--shell", shell]);
        assert_eq!(terminal.run("exec 2>&1"), [""; 0], "{shell}");
        assert_eq!(terminal.run("echo x >&2"), ["n1: x"], "{shell}");
        assert_eq!(terminal.run("exec >file"), [""; 0], "{shell}");
        assert_eq!(terminal.run("echo kept"), [""; 0], "{shell}");
        let (_, below) = terminal.block("(exit 5)");
        assert_eq!(below, "clsh: n1: exited with exit code 5\n", "{shell}");
        let kept = std::fs::read_to_string(terminal.home.join("file"));
        assert_eq!(kept.expect("the file"), "kept\n", "{shell}");
        assert_eq!(terminal.run("exec >&- 2>&-"), [""; 0], "{shell}");
        assert_eq!(terminal.run("cd /"), [""; 0], "{shell}");
        terminal.quit(0);
    }
}

#[test]
fn another_shell_may_be_named() {
    for (shell, test, wanted) in [
        ("bash", "a=(x y); echo ${a[1]} $0", "n1: y bash"),
        (
            "busybox sh",
            "readlink /proc/$$/exe | grep -c busybox",
            "n1: 1",
        ),
        ("dash", "readlink /proc/$$/exe | grep -c dash", "n1: 1"),
        ("sh", "echo $0", "n1: sh"),
        ("env Y=7 sh", "echo $Y", "n1: 7"),
    ] {
        let mut terminal = sit("n1", ["--shell", shell]);
        assert_eq!(terminal.run(test), [wanted], "{shell}");
        terminal.quit(0);
    }
    let mut terminal = sit("n1", []);
    assert_eq!(terminal.run("echo $0"), ["n1: sh"]);
    terminal.quit(0);
}

#[test]
fn a_command_that_runs_too_long_is_ended_and_the_others_go_on() {
    let nap = nap();
    let mut terminal = sit("n[1-2]", ["-u", "1"]);
    let text = terminal.enter(&format!("test $CLSH_RANK -ne 1 || sleep {nap}"));
    assert!(
        text.contains("clsh: n2: the command took too long (-u) and was ended with its shell; ':reconnect n2' starts a new one\n"),
        "{text}"
    );
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    assert_eq!(crate::kit::napping(&nap), 0);
    terminal.quit(0);
}

#[test]
fn a_command_that_ran_too_long_ends_a_script_with_124() {
    let nap = nap();
    let done = crate::kit::scripted(
        crate::kit::exec("n1", ["-u", "1"]),
        format!("sleep {nap}\n"),
    );
    assert_eq!(done.code(), 124, "{}", done.err());
    assert_eq!(crate::kit::napping(&nap), 0);
}

#[test]
fn a_function_called_command_does_not_hold_up_the_session() {
    for shell in SHELLS {
        let mut terminal = sit("n1", ["--shell", shell]);
        terminal.run("command() { echo mine; }; :");
        assert_eq!(terminal.run("echo one"), ["n1: one"], "{shell}");
        assert_eq!(terminal.run("(exit 3); echo two"), ["n1: two"], "{shell}");
        terminal.quit(0);
    }
}

#[test]
fn what_is_traced_is_the_users_and_not_the_sessions_own() {
    for shell in SHELLS {
        let mut terminal = sit("n1", ["--shell", shell]);
        for option in ["x", "v"] {
            terminal.run(&format!("set -{option}"));
            let lines = terminal.run("echo traced");
            assert!(
                lines.iter().any(|line| line == "n1: traced"),
                "{shell}: {lines:?}"
            );
            // ksh says what it redirects, and there is no other way to have its own words nowhere.
            let own = |line: &&String| line.contains("_clsh") || line.contains("command eval");
            if shell != "mksh" {
                assert_eq!(lines.iter().filter(own).count(), 0, "{shell}: {lines:?}");
            }
            terminal.run(&format!("set +{option}"));
            assert_eq!(terminal.run("echo plain"), ["n1: plain"], "{shell}");
        }
        terminal.quit(0);
    }
}

#[test]
fn options_that_bash_was_given_by_its_environment_do_not_end_a_session() {
    for options in ["nounset", "errexit", "nounset:errexit:xtrace:verbose"] {
        let mut call = exec("n1", ["--shell", "bash"]);
        call.env("SHELLOPTS", options);
        let done = scripted(call, "echo one\nfalse\necho $nope two\n");
        assert_eq!(
            (done.code(), done.out()),
            (0, "n1: one\nn1: two\n".to_owned()),
            "{options}"
        );
    }
}

#[test]
fn an_editor_that_would_wait_for_a_terminal_is_not_started() {
    let mut terminal = sit("n1", []);
    let text = terminal.enter("vi /etc/hosts");
    assert!(
        text.contains("clsh: vi needs a terminal, and a session's commands have none; log in for it: ssh -t HOST vi"),
        "{text}"
    );
    assert_eq!(terminal.run("echo on"), ["n1: on"]);
    terminal.quit(0);
}

#[test]
fn a_shell_that_cannot_carry_a_session_is_refused_with_what_is_needed() {
    for (shell, words) in [
        ("fish", "fish is no POSIX shell, which a session needs"),
        ("bash -i", "leave -i out"),
    ] {
        let done = scripted(exec("n1", ["--shell", shell]), "echo on\n");
        assert_eq!((done.code(), done.out()), (2, String::new()));
        assert!(done.err().contains(words), "{}", done.err());
    }
}
