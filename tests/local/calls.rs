//! What a call means: its words, its nodes and where they come from; what is refused, in which words, and that nothing is started then.

use crate::kit::{Held, exec, labelled, read_all, through, wait_idle};
use crate::support::{Finished, clsh, clsh_with, run, run_clsh, scratch};
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, Stdio};

/// Fails unless the call was refused with these words in it. Every call here would leave a file `ran` behind.
#[track_caller]
fn refused(mut call: Command, directory: &Path, words: &[&str]) -> String {
    let done = run(call.current_dir(directory));
    let err = done.err();
    assert_eq!((done.code(), done.out()), (2, String::new()), "{err}");
    assert!(err.starts_with("clsh: "), "{err}");
    for word in words {
        assert!(err.contains(word), "{word} in {err}");
    }
    assert!(!directory.join("ran").exists(), "something was started");
    err
}

#[test]
fn words_that_name_no_nodes_are_refused_and_quoted() {
    let directory = scratch();
    for (list, quoted) in [
        ("n[1-3", "'n[1-3'"),
        ("n1-3]", "'n1-3]'"),
        ("n[[1]]", "'n[[1]]'"),
        ("n[]", "'n[]'"),
        ("n[3-1]", "'3-1'"),
        ("n[1,,2]", "'n[1,,2]'"),
        ("n[a]", "'a'"),
        ("n[1-]", "'1-'"),
        ("n[1-3/0]", "'1-3/0'"),
        ("n1,-oProxyCommand=x", "'-oProxyCommand=x'"),
        ("bob@-n1", "'bob@-n1'"),
        ("-n1", "'-n1'"),
        ("n1/etc", "'n1/etc'"),
        ("n\u{a0}1", "'n\\u{a0}1'"),
        ("n\u{1b}[31m1", "\\u{1b}"),
        ("n\u{7f}", "\\u{7f}"),
        ("n1:0", "'n1:0'"),
        ("n1:99999", "'n1:99999'"),
        ("n[1-1000001]", "'n[1-1000001]'"),
        ("", "-h"),
        (",", "-h"),
    ] {
        let err = refused(exec(list, ["touch", "ran"]), directory.path(), &[quoted]);
        assert_eq!(err.lines().count(), 1, "{err}");
        assert!(
            !err.trim_end().contains(|c: char| c.is_control()),
            "{err:?}"
        );
    }
}

#[test]
fn wrong_flags_are_refused() {
    let directory = scratch();
    let flags: [(&[&str], &str); 15] = [
        (&["--no-such-flag"], "'--no-such-flag'"),
        (&["-Z"], "'-Z'"),
        (&["-y"], "'-y'"),
        (&["-f", "0"], "'0'"),
        (&["-f", "x"], "'x'"),
        (&["-f", "-1"], "'-1'"),
        (&["-u", "0"], "'0'"),
        (&["-u", "soon"], "'soon'"),
        (&["-t", "0"], "'0'"),
        (&["--kill-after=-1"], "'-1'"),
        (&["--color", "red"], "'red'"),
        (&["--quiet=yes"], "'yes'"),
        (&["-l", "-o"], "'-o'"),
        (&["-J", "-oProxyCommand=x"], "'-oProxyCommand=x'"),
        (&["-o", "Port=1"], "ssh"),
    ];
    for (flags, quoted) in flags {
        let mut call = clsh_with(["-h", "n1", "-R", "exec"]);
        call.args(flags).args(["touch", "ran"]);
        refused(call, directory.path(), &[quoted]);
    }
}

#[test]
fn an_empty_command_and_a_session_that_cannot_be_are_refused() {
    let directory = scratch();
    for (words, told) in [
        (&["-i", "true"][..], "-i starts a session"),
        (&["--shell", "bash", "true"], "--shell"),
        (&["--bare", "-i"], "--bare"),
        (&["--hostfile", "-"], "standard input"),
    ] {
        let mut call = clsh_with(["-h", "n1"]);
        call.args(words);
        refused(call, directory.path(), &[told]);
    }
    refused(exec("n1", [""]), directory.path(), &["command is empty"]);
    refused(
        clsh_with(["-h", "n1", " "]),
        directory.path(),
        &["command is empty"],
    );
}

#[test]
fn a_bare_h_tells_where_the_help_is() {
    let directory = scratch();
    for words in [&["-h"][..], &["-h", "--help"], &["-h", "-l", "x"]] {
        refused(
            clsh_with(words),
            directory.path(),
            &["-h names the nodes", "--help"],
        );
    }
}

#[test]
fn options_end_at_the_first_word_that_is_none_or_at_a_double_dash() {
    let print = ["printf", "[%%s]"];
    for (words, wanted) in [
        (&["-l", "-h", "--", "--help"][..], "[-l][-h][--][--help]"),
        (&["--", "-N"], "[--][-N]"),
    ] {
        for dashes in [&[][..], &["--"]] {
            let words = [dashes, &print, words].concat();
            let done = run(&mut exec("n1", words));
            assert_eq!(done.out(), labelled("n1", &[wanted]));
        }
    }
    let directory = scratch();
    let done = run(exec("n1", ["--", "-N"]).current_dir(directory.path()));
    assert_eq!(done.code(), 2);
    assert!(done.err().contains("cannot run '-N'"), "{}", done.err());
}

#[test]
fn long_options_take_their_value_in_the_next_word_or_after_an_equals_sign() {
    for words in [
        &["--hosts", "n[1-2]", "--transport", "exec", "--fanout", "1"][..],
        &["--hosts=n[1-2]", "--transport=exec", "--fanout=1"],
        &["-hn[1-2]", "-Rexec", "-f1"],
        &["-w", "n[1-2]", "-R", "exec"],
    ] {
        let done = run(clsh().args(words).args(["echo", "%h"]));
        assert_eq!(
            done.sorted(),
            ["n1: n1", "n2: n2"],
            "{words:?}: {}",
            done.err()
        );
    }
}

// Where the nodes come from.

/// Runs `-Q` in a directory with these variables.
fn query(directory: &Path, variables: &[(&str, &str)], flags: &[&str]) -> Finished {
    let mut call = clsh_with(["-Q"]);
    call.args(flags).current_dir(directory);
    run(call.envs(variables.iter().copied()))
}

#[test]
fn the_first_source_that_yields_a_node_wins_and_is_told() {
    let directory = scratch();
    let path = directory.path();
    fs::write(path.join("clusterfile"), "file1 file2 # note\r\n\n").expect("write");
    fs::write(path.join(".hostfile"), "\u{feff}hidden1:hidden2:hidden3\n").expect("write");
    let hosts = ("CLSH_HOSTS", "env[1-2]:user@env3");
    let hostfile = ("CLSH_HOSTFILE", "clusterfile");
    let absolute = path.join("clusterfile");
    let absolute = ("CLSH_HOSTFILE", absolute.to_str().expect("UTF-8"));
    let told = format!("Note: use hostfile '{}' (CLSH_HOSTFILE env)\n", absolute.1);
    for (variables, flags, nodes, note) in [
        (
            &[hosts, hostfile][..],
            &["-h", "f1", "-w", "f2,f[3-4]"][..],
            "f1 f2 f3 f4",
            "",
        ),
        (
            &[hosts, hostfile],
            &["--hostfile", "clusterfile", "-h", "f1"],
            "file1 file2 f1",
            "",
        ),
        (
            &[hosts, hostfile],
            &[],
            "env1 env2 user@env3",
            "Note: use CLSH_HOSTS environment\n",
        ),
        (
            &[("CLSH_HOSTS", ""), hostfile],
            &[],
            "file1 file2",
            "Note: use hostfile 'clusterfile' (CLSH_HOSTFILE env)\n",
        ),
        (&[absolute], &[], "file1 file2", &told),
        (
            &[("CLSH_HOSTS", ""), ("CLSH_HOSTFILE", "")],
            &[],
            "hidden1 hidden2 hidden3",
            "Note: use hostfile '.hostfile' (default)\n",
        ),
        (
            &[],
            &["-x", "hidden2"],
            "hidden1 hidden3",
            "Note: use hostfile '.hostfile' (default)\n",
        ),
    ] {
        let done = query(path, variables, flags);
        let printed: Vec<String> = done.out().lines().map(str::to_owned).collect();
        assert_eq!(
            (printed.join(" "), done.err()),
            (nodes.to_owned(), note.to_owned())
        );
        assert_eq!(done.code(), 0);
        let quiet = query(path, variables, &[flags, &["-q"]].concat());
        assert_eq!((quiet.out(), quiet.err()), (done.out(), String::new()));
    }
}

#[test]
fn a_note_goes_to_stderr_and_leaves_stdout_clean() {
    let mut call = clsh_with(["-R", "exec", "echo", "%h"]);
    let done = run(call.env("CLSH_HOSTS", "n1"));
    assert_eq!(done.out(), labelled("n1", &["n1"]));
    assert_eq!(done.err(), "Note: use CLSH_HOSTS environment\n");
}

#[test]
fn a_call_without_nodes_is_refused_and_told_how_to_name_them() {
    let directory = scratch();
    let call = clsh_with(["-R", "exec", "touch", "ran"]);
    let err = refused(call, directory.path(), &[]);
    let lines: Vec<&str> = err.lines().collect();
    assert_eq!(lines.len(), 2, "{err}");
    assert_eq!(lines[0], "clsh: --hostfile option was not provided");
    assert!(
        lines[1].contains("-h") && lines[1].contains("CLSH_HOSTS"),
        "{err}"
    );
}

#[test]
fn a_variable_that_cannot_be_honoured_is_warned_of_and_passed_over() {
    let directory = scratch();
    let path = directory.path();
    fs::write(path.join("empty"), "# nothing\n").expect("write");
    fs::write(path.join(".hostfile"), "n1\n").expect("write");
    for (value, why) in [
        ("missing", "cannot be read"),
        ("empty", "holds no node"),
        (".", "cannot be read"),
    ] {
        for flags in [&[][..], &["-q"]] {
            let done = query(path, &[("CLSH_HOSTFILE", value)], flags);
            assert_eq!((done.code(), done.out()), (0, "n1\n".into()));
            let err = done.err();
            assert!(err.starts_with("Warning: ") && err.contains(why), "{err}");
            assert!(err.contains(&format!("'{value}'")), "{err}");
        }
    }
    fs::write(path.join(".hostfile"), "\n").expect("write");
    let mut call = clsh_with(["-R", "exec", "touch", "ran"]);
    let done = run(call.current_dir(path));
    assert_eq!(done.code(), 2);
    let err = done.err();
    assert!(err.contains("'.hostfile' (default) holds no node"), "{err}");
    assert!(
        err.contains("clsh: --hostfile option was not provided\n"),
        "{err}"
    );
}

#[test]
fn an_explicit_wish_never_falls_through_to_other_machines() {
    let directory = scratch();
    let path = directory.path();
    fs::write(path.join(".hostfile"), "n1\n").expect("write");
    fs::write(path.join("empty"), "# nothing\n").expect("write");
    fs::write(path.join("wrong"), "n1\nn[2-\n").expect("write");
    for (flags, quoted) in [
        (&["--hostfile", "missing"][..], "'missing'"),
        (&["--hostfile", "empty"], "'empty'"),
        (&["--hostfile", "."], "'.'"),
        (&["--hostfile", "wrong"], "line 2: 'n[2-'"),
        (&["-h", ""], "-h"),
        (&["-h", "n1", "-x", "n1"], "-x"),
        (&["-h", "n1", "-x", "n["], "'n['"),
    ] {
        let mut call = clsh_with(["-R", "exec"]);
        call.env("CLSH_HOSTS", "n9")
            .args(flags)
            .args(["touch", "ran"]);
        refused(call, path, &[quoted]);
    }
    let mut call = clsh_with(["-R", "exec", "touch", "ran"]);
    call.env("CLSH_HOSTS", "n[");
    refused(call, path, &["CLSH_HOSTS", "'n['"]);
}

#[test]
fn a_hostfile_comes_from_standard_input_too() {
    let directory = scratch();
    let list = directory.path().join("list");
    fs::write(&list, "n[1-2]\nn4").expect("write");
    let mut call = clsh_with(["--hostfile", "-", "-R", "exec", "echo", "%h"]);
    let done = run(call.stdin(File::open(&list).expect("open")));
    assert_eq!(done.sorted(), ["n1: n1", "n2: n2", "n4: n4"]);
}

#[test]
fn query_prints_the_nodes_in_order_and_starts_nothing() {
    let directory = scratch();
    let words = [
        "-Q",
        "-R",
        "exec",
        "-h",
        "n[08-10],a,n09,bob@web:2222,[::1]:22,r[1-2]x[0-10/5]",
        "-x",
        "r2x5",
        "touch",
        "ran",
    ];
    let done = run(clsh_with(words).current_dir(directory.path()));
    assert_eq!(
        done.out(),
        "n08\nn09\nn10\na\nbob@web:2222\n[::1]:22\nr1x0\nr1x5\nr1x10\nr2x0\nr2x10\n"
    );
    assert_eq!((done.code(), done.err()), (0, String::new()));
    assert!(!directory.path().join("ran").exists());
}

// What clsh prints about itself.

#[test]
fn help_and_version_go_to_stdout_and_fit_a_screen() {
    for words in [&["--help"][..], &["-q", "--help", "--no-such-flag"]] {
        let done = run_clsh(words);
        assert_eq!((done.code(), done.err()), (0, String::new()));
        let out = done.out();
        assert!(
            out.contains("Usage:") && out.contains("--hostfile FILE"),
            "{out}"
        );
        for line in out.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }
    for words in [["-V"], ["--version"]] {
        let done = run_clsh(words);
        assert_eq!(done.out(), format!("clsh {}\n", env!("CARGO_PKG_VERSION")));
        assert_eq!((done.code(), done.err()), (0, String::new()));
    }
}

#[test]
fn what_clsh_prints_about_itself_ends_quietly_when_its_reader_leaves() {
    for words in [&["--help"][..], &["--version"], &["-Q", "-h", "n[1-20000]"]] {
        let (reader, writer) = std::io::pipe().expect("pipe");
        drop(reader);
        let mut call = clsh_with(words);
        let mut held = Held::start(call.stdout(writer).stderr(Stdio::piped()));
        let err = read_all(held.0.stderr.take().expect("piped"));
        assert_eq!((held.wait(), err), (141, Vec::new()), "{words:?}");
    }
    let script = r#""$@" | head -1; exit "${PIPESTATUS[0]}""#;
    let done = run(&mut through(
        "bash",
        script,
        &clsh_with(["-Q", "-h", "n[1-20000]"]),
    ));
    assert_eq!(
        (done.code(), done.out(), done.err()),
        (141, "n1\n".into(), String::new())
    );
}

#[test]
fn what_clsh_cannot_print_about_itself_is_said() {
    let pages = [
        &["--help"][..],
        &["--version"],
        &["--generate", "man"],
        &["-Q", "-h", "n1"],
    ];
    for words in pages {
        let full = File::options().write(true).open("/dev/full").expect("open");
        let mut call = clsh_with(words);
        let mut held = Held::start(call.stdout(full).stderr(Stdio::piped()));
        let err = read_all(held.0.stderr.take().expect("piped"));
        let err = String::from_utf8(err).expect("text");
        assert_eq!(held.wait(), 255);
        assert!(
            err.starts_with("clsh: cannot write to standard output: No space left on device"),
            "{err}"
        );
    }
}

/// A pipe whose writing end does not block, as node and other programs leave it to those that they start.
fn unblocked_pipe() -> (std::io::PipeReader, std::io::PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("pipe");
    fcntl(&writer, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).expect("non-blocking");
    (reader, writer)
}

#[test]
fn a_stdout_that_does_not_block_gets_all_that_clsh_prints_about_itself() {
    let names: String = (1..=100_000).map(|at| format!("n{at}\n")).collect();
    let page = |words: &[&str]| run(&mut clsh_with(words)).out();
    let cases = [
        (vec!["-Q", "-h", "n[1-100000]"], names),
        (vec!["--help"], page(&["--help"])),
        (vec!["--generate", "man"], page(&["--generate", "man"])),
    ];
    for (words, wanted) in cases {
        let (mut reader, mut writer) = unblocked_pipe();
        // There is no room left in it but for some bytes.
        let filler = vec![b'.'; 65_536 - 100];
        writer.write_all(&filler).expect("filled");
        let mut call = clsh_with(&words);
        let mut held = Held::start(call.stdout(writer).stderr(Stdio::piped()));
        drop(call);
        wait_idle(held.pid());
        let mut got = vec![0; filler.len()];
        reader.read_exact(&mut got).expect("the filler");
        let text = String::from_utf8(read_all(reader)).expect("text");
        assert!(
            text == wanted,
            "{words:?}: {} of {} bytes",
            text.len(),
            wanted.len()
        );
        assert_eq!(held.wait(), 0, "{words:?}");
    }
}
