//! Goal: a script means on every node what it means to `ssh node < script`, whatever stands in it and whichever shell reads it. Method: the
//! forms that a tool which takes scripts line by line gets wrong, under several login shells and as `--shell`, compared with plain ssh.

use crate::farm::{farm, is_missing, without_users};
use crate::nodes::{Sleep, must, nodes};
use crate::shells::{Master, bare_name, lines};
use crate::support::{self, Finished};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Scripts, each with something that has to be read as a whole, or that a session's prompt would take for its own.
pub const FORMS: [&str; 32] = [
    "if false; then\necho DANGER\nfi\n",
    "if true\nthen\n  echo yes\nelif true\nthen\n  echo NO\nelse\n  echo NO\nfi\necho $?\n",
    "cat <<EOT\n$((1 + 1)) `echo sub`\n$(echo rm)\nEOT\necho on\n",
    "cat <<'EOT' && echo on\n$((1 + 1))\nif then fi\nEOT\n",
    "cat <<-EOT\n\ttabs\n\tEOT\ncat <<A; cat <<\"B\"\na\nA\nb\nB\n",
    "f() {\n  echo \"in f $1\"\n  return 3\n}\nf x\necho $?\n",
    "f()\n{\n  exit 4\n}\nf\necho NO\n",
    "f() (\n  exit 4\n)\nf\necho $?\n",
    "case b in\n  a) echo NO ;;\n  b | c)\n    echo b\n    ;;\n  (*) echo NO\nesac\n",
    "case x in esac\ncase y in\ny) echo y\nesac\n",
    "n=0\nwhile [ $n -lt 3 ]; do\n  n=$((n + 1))\n  echo $n\ndone\n",
    "printf 'a\\nb\\n' | while read -r x\ndo echo \"<$x>\"\ndone\n",
    "while read -r x; do\n  echo \"<$x>\"\ndone <<EOT\none\ntwo\nEOT\n",
    "for x in 1 2; do\n  for y in a b\n  do\n    echo $x$y\n  done\ndone\n",
    "until true\ndo\n  echo NO\ndone\necho done\n",
    "echo one \\\n  two \\\n  three\n",
    "echo 'one\ntwo'\necho \"three\n$((2 + 2))\"\n",
    "true &&\n  echo and\nfalse ||\n  echo or\necho pipe |\n  cat\n",
    "{\n  echo brace\n  echo group\n} | cat\n(\n  echo sub\n)\n",
    "x=$(\n  echo sub\n  echo shell\n)\necho \"$x\"\n",
    "! grep -q x /dev/null && echo there\n!  false\necho $?\n",
    ":> made\ntest -f made && echo made\nrm made\n",
    ":nodes\n:help\necho $?\n",
    "quit\necho on\n",
    "# a comment\n\n  # if\n\techo on # for\n",
    "set -e\necho before\nfalse\necho NO\n",
    "trap 'echo bye' EXIT\nexit 5\n",
    "echo before\n(exit 7)\n",
    "exec sh -c 'echo exec; exit 9'\necho NO\n",
    "echo before\n)\necho after\n",
    "echo before\nif true; then\n  echo open\n",
    "echo 'no newline at its end'; exit 255",
];

/// What a call left, in a form that can be compared: what a shell calls itself differs.
fn seen(done: &Finished, shell: &Path) -> (Vec<u8>, String, i32) {
    let name = shell.file_name().expect("a name").to_str().expect("UTF-8");
    let err = String::from_utf8_lossy(&bare_name(&done.stderr, shell)).into_owned();
    let err = err.replace(&format!("-{name}: "), &format!("{name}: "));
    (lines(&done.stdout), err, done.code())
}

fn with_stdin(call: &mut Command, text: &[u8]) -> Finished {
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(text).expect("write");
    std::io::Seek::rewind(&mut file).expect("rewind");
    support::run(call.stdin(Stdio::from(file)))
}

/// Whether no line of it is clsh's own in a session, and no error of its syntax ends it before its end.
fn is_the_same_in_a_session(script: &str) -> bool {
    let own = ["!", ":", "quit", "exit", ")"];
    let mut lines = script.lines();
    // A session's shell says what a command returned, and remembers it no longer.
    !lines.any(|line| own.iter().any(|own| line.starts_with(own))) && !script.contains("$?")
}

/// Compares clsh with plain ssh, script by script.
fn agrees_with_ssh(shell: &str) {
    if without_users(&format!("scripts for the login shell {shell}")) || is_missing(shell) {
        return;
    }
    let farm = farm();
    let path = farm.shell(shell);
    // Or sshd says a word on a first login, where no command is given.
    let user = farm.user_with(&format!("s-{shell}"), &path, ".hushlogin", "");
    let config = farm.cluster.ssh_config();
    let directory = support::scratch();
    let master = Master::new(&config, &user, directory.path());
    let shared = format!("ControlPath={}", master.path().display());
    let word = format!("{user}@node1");
    let long = format!(
        "{}exit 6\necho NO\n",
        "echo 'one of many lines' >/dev/null\n".repeat(4000)
    );
    let mut wrong = Vec::new();
    for script in FORMS.into_iter().chain([&*long, ""]) {
        let mut ssh = Command::new("ssh");
        ssh.arg("-F").arg(&config);
        ssh.args(["-T", "-l", &user, "-o", &shared, "node1"]);
        let ssh = with_stdin(&mut ssh, script.as_bytes());
        let mut call = farm.cluster.clsh(["-q", "-N", "-o", &shared, "-h", &word]);
        let clsh = with_stdin(&mut call, script.as_bytes());
        if seen(&ssh, &path) != seen(&clsh, &path) {
            let start: String = script.chars().take(200).collect();
            wrong.push(format!("{start}\n  ssh:  {ssh:?}\n  clsh: {clsh:?}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{shell} differs from plain ssh:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn a_script_means_to_dash_what_it_means_over_plain_ssh() {
    agrees_with_ssh("dash");
}

#[test]
fn a_script_means_to_bash_what_it_means_over_plain_ssh() {
    agrees_with_ssh("bash");
}

#[test]
fn a_script_means_to_busybox_what_it_means_over_plain_ssh() {
    agrees_with_ssh("ash");
}

#[test]
fn a_script_means_to_zsh_what_it_means_over_plain_ssh() {
    agrees_with_ssh("zsh");
}

#[test]
fn the_shell_of_a_script_can_be_named_and_agrees_with_plain_ssh_too() {
    let config = nodes().ssh_config();
    let directory = support::scratch();
    let user = must(&["id", "-un"]);
    let master = Master::new(&config, user.trim(), directory.path());
    let shared = format!("ControlPath={}", master.path().display());
    for shell in ["dash", "bash", "busybox sh", "zsh"] {
        let path = PathBuf::from(shell);
        for script in FORMS {
            let mut ssh = Command::new("ssh");
            ssh.arg("-F").arg(&config);
            ssh.args(["-T", "-o", &shared, "node1", shell]);
            let ssh = with_stdin(&mut ssh, script.as_bytes());
            let words = ["-q", "-N", "-o", &shared, "-h", "node1", "--shell", shell];
            let clsh = with_stdin(&mut nodes().clsh(words), script.as_bytes());
            assert_eq!(seen(&ssh, &path), seen(&clsh, &path), "{shell}: {script}");
            if is_the_same_in_a_session(script) {
                let mut call = nodes().clsh(words);
                let session = with_stdin(call.arg("-i"), script.as_bytes());
                assert_eq!(
                    (lines(&ssh.stdout), ssh.code()),
                    (session.stdout.clone(), session.code()),
                    "{shell}, -i: {script}"
                );
            }
        }
    }
}

#[test]
fn all_nodes_run_a_script_and_each_line_has_its_label() {
    let text = "if [ $CLSH_RANK = 1 ]; then\n  echo mine; exit 3\nfi\necho \"$CLSH_HOST of $CLSH_COUNT\"\n";
    let done = with_stdin(&mut nodes().clsh(["-h", "node[1-3]"]), text.as_bytes());
    assert_eq!(
        done.sorted(),
        ["node1: node1 of 3", "node2: mine", "node3: node3 of 3"]
    );
    assert_eq!(done.err(), "clsh: node2: exited with exit code 3\n");
    assert_eq!(done.code(), 3);
    // It is a run like any, with what is there for those.
    let words = ["-b", "-f", "1", "-h", "node[1-3]"];
    let done = with_stdin(&mut nodes().clsh(words), b"f() {\n  echo all\n}\nf\n");
    let rule = "-".repeat(15);
    assert_eq!(done.out(), format!("{rule}\nnode[1-3] (3)\n{rule}\nall\n"));
}

/// A script in a file of its own.
fn script_file(text: &[u8]) -> (tempfile::TempDir, String) {
    let directory = support::scratch();
    let path = directory.path().join("a script");
    std::fs::write(&path, text).expect("write");
    let path = path.to_str().expect("UTF-8").to_owned();
    (directory, path)
}

#[test]
fn a_script_from_a_file_has_its_arguments_and_leaves_stdin_to_its_commands_in_every_login_shell() {
    if without_users("scripts from files for login shells") {
        return;
    }
    let farm = farm();
    for shell in [
        "dash", "bash", "ash", "zsh", "ksh", "mksh", "fish", "tcsh", "bsd-csh", "yash",
    ] {
        if is_missing(shell) {
            continue;
        }
        let user = farm.user(&format!("f-{shell}"), &farm.shell(shell));
        let word = format!("{user}@node1");
        // What all of these languages know: no functions, and arguments under one name.
        let args = match shell {
            "fish" => "$argv",
            "tcsh" | "bsd-csh" => "$argv:q",
            _ => "\"$@\"",
        };
        let (_directory, path) = script_file(
            format!("printf '<%s>' {args}\nprintf '\\n'\ncat\nprintf 'end\\n'\nexit 4\necho NO\n")
                .as_bytes(),
        );
        let words = ["-q", "-h", &word, "--script", &path, "a b", "it's", "-x"];
        let done = with_stdin(&mut farm.cluster.clsh(words), b"in 1\nin 2\n");
        assert_eq!(
            (done.out().replace(&word, "node1"), done.err(), done.code()),
            (
                "node1: <a b><it's><-x>\nnode1: in 1\nnode1: in 2\nnode1: end\n".to_owned(),
                String::new(),
                4
            ),
            "{shell}"
        );
        // Without input it finds nothing to read, and is none the worse.
        let words = ["-q", "-n", "-N", "-h", &word, "--script", &path, "x"];
        let done = support::run(&mut farm.cluster.clsh(words));
        assert_eq!(
            (done.out().as_str(), done.code()),
            ("<x>\nend\n", 4),
            "{shell}"
        );
    }
}

#[test]
fn a_script_from_a_file_means_what_it_means_without_clsh() {
    let long = format!(
        "{}exit 6\n",
        "echo 'one of many lines' >/dev/null\n".repeat(4000)
    );
    for shell in ["dash", "bash", "busybox sh", "zsh"] {
        for text in FORMS.into_iter().chain([&*long]) {
            let (_directory, path) = script_file(text.as_bytes());
            let place = support::scratch();
            let here = Command::new("sh")
                .args(["-c", &format!("exec {shell} \"$0\""), &path])
                .current_dir(place.path())
                .stdin(Stdio::null())
                .output()
                .expect("a shell");
            let words = [
                "-qN", "-h", "n1", "-R", "exec", "--shell", shell, "--script", &path,
            ];
            let done = support::run(support::clsh_with(words).current_dir(place.path()));
            assert_eq!(done.stdout, lines(&here.stdout), "{shell}: {text}");
            assert_eq!(
                done.code(),
                support::shell_code(here.status),
                "{shell}: {text}"
            );
        }
    }
}

#[test]
fn a_script_may_be_of_any_language() {
    let (_directory, path) = script_file(
        b"import sys\nfor word in sys.argv[1:]:\n    print(word)\nprint(sys.stdin.read())\nsys.exit(3)\n",
    );
    let words = [
        "-N", "-q", "-h", "node1", "--shell", "python3", "--script", &path, "a", "b c",
    ];
    let done = with_stdin(&mut nodes().clsh(words), b"read");
    assert_eq!((done.out().as_str(), done.code()), ("a\nb c\nread\n", 3));
    let words = ["-N", "-q", "-h", "node1", "--shell", "python3"];
    let done = with_stdin(&mut nodes().clsh(words), b"if True:\n    print('yes')\n");
    assert_eq!((done.out().as_str(), done.code()), ("yes\n", 0));
}

#[test]
fn a_script_has_a_terminal_where_it_is_to_have_one() {
    let (_directory, path) = script_file(b"test -t 0 && test -t 1 && echo \"tty $1\"\n");
    let words = ["--tty", "-h", "node1", "--script", &path, "x"];
    let done = support::run(&mut nodes().clsh(words));
    assert_eq!((done.out().as_str(), done.code()), ("node1: tty x\n", 0));
}

#[test]
fn a_bare_script_goes_to_the_login_shell_as_it_is() {
    let text = "if false; then\necho DANGER\nfi\necho bare \"$CLSH_HOST\"; exit 3\n";
    for words in [&["--bare"][..], &["--bare", "--shell", "bash"]] {
        let mut call = nodes().clsh(["-h", "node1"]);
        let done = with_stdin(call.args(words), text.as_bytes());
        assert_eq!((done.out().as_str(), done.code()), ("node1: bare \n", 3));
    }
}

#[test]
fn an_interrupt_ends_a_script_and_what_it_runs_there() {
    let sleep = Sleep::new(761);
    let (_directory, path) = script_file(sleep.command().as_bytes());
    for from_file in [false, true] {
        let mut call = nodes().clsh(["-h", "node[1-2]"]);
        if from_file {
            call.args(["--script", &path]);
        }
        let mut clsh = support::start(call.stdin(Stdio::piped()));
        let mut input = clsh.stdin();
        if !from_file {
            input
                .write_all(format!("{}\necho NO\n", sleep.command()).as_bytes())
                .expect("write");
        }
        sleep.wait_for(2);
        clsh.signal(2);
        let done = clsh.finish();
        assert_eq!((done.out().as_str(), done.code()), ("", 130));
        sleep.wait_gone();
    }
}
