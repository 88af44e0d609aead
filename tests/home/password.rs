//! `--password-file`: what is taken for a private file and what is not, by which ways it comes, and which flags go with it.

use crate::accounts::{self, Account};
use crate::kit::CTRL_C;
use crate::nodes::must;
use crate::support::{self, Finished, clsh_with, run};
use crate::terminal::Sitting;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A call that would leave a trace, did it start anything.
fn refused(file: &Path) -> String {
    let directory = support::scratch();
    let trace = directory.path().join("started");
    let proxy = format!("ProxyCommand=touch {}", trace.display());
    let mut call = clsh_with(["-F", "none", "-o", &proxy, "-h", "n1", "--password-file"]);
    let done = run(call.arg(file).arg("true"));
    assert_eq!(done.code(), 2, "{}", done.err());
    assert!(!trace.exists(), "something was started");
    let said = done.err();
    let named = format!("'{}', named by --password-file: ", file.display());
    assert!(said.contains(&named), "{said}");
    said
}

fn file(directory: &Path, name: &str, text: &str, mode: u32) -> std::path::PathBuf {
    let path = directory.join(name);
    fs::write(&path, text).expect("write");
    fs::set_permissions(&path, Permissions::from_mode(mode)).expect("chmod");
    path
}

#[test]
fn a_file_that_is_of_no_use_or_not_private_is_refused_by_name_and_cause() {
    let directory = support::scratch();
    let place = directory.path();
    for mode in [0o640, 0o604, 0o620, 0o777] {
        let said = refused(&file(place, "open", "secret\n", mode));
        assert!(said.contains("chmod 600"), "{said}");
    }
    for text in ["", "\n", "\r\n", "\nsecret\n"] {
        let said = refused(&file(place, "empty", text, 0o600));
        assert!(said.contains("its first line is empty"), "{said}");
    }
    let said = refused(&file(place, "nul", "a\0b\n", 0o600));
    assert!(said.contains("NUL"), "{said}");
    let said = refused(&file(place, "long", &"x".repeat(1024), 0o600));
    assert!(said.contains("longer than 1023 bytes"), "{said}");
    assert!(refused(&place.join("missing")).contains("No such file"));
    assert!(refused(place).contains("it is a directory"));
}

#[test]
fn a_file_of_another_user_is_refused() {
    let Some(world) = accounts::world() else {
        return;
    };
    let path = world.person.write_private("theirs", "secret");
    std::os::unix::fs::chown(&path, Some(65534), None).expect("chown");
    let said = refused(&path);
    assert!(said.contains("belongs to another user"), "{said}");
}

fn is_welcome(done: &Finished, nodes: &[&str], account: &Account) {
    let lines: Vec<String> = nodes
        .iter()
        .map(|node| format!("{node}: {}", account.name))
        .collect();
    assert_eq!((done.code(), done.err()), (0, String::new()));
    assert_eq!(done.sorted(), lines);
}

#[test]
fn a_line_of_a_file_opens_every_node_whatever_ends_it() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = &world.person;
    for (number, end) in ["", "\n", "\r\n", "\nmore\n"].into_iter().enumerate() {
        let path = me.path(&format!("ending{number}"));
        fs::write(&path, format!("{}{end}", me.password)).expect("write");
        fs::set_permissions(&path, Permissions::from_mode(0o400)).expect("chmod");
        let words = ["--password-file", path.to_str().expect("text")];
        let words = words.into_iter().chain(["-h", "n1,k1", "id -un"]);
        is_welcome(&run(&mut world.clsh(me, words)), &["k1", "n1"], me);
    }
}

#[test]
fn a_pipe_with_a_name_or_of_the_shell_is_as_good_as_a_file() {
    let Some(world) = accounts::world() else {
        return;
    };
    // Its password is to be seen in the environment of a shell, where other tests must find none.
    let me = &Account::new();
    let fifo = me.path("fifo");
    must(&["mkfifo", "-m", "600", fifo.to_str().expect("text")]);
    for (make, name) in [
        (r#"printf '%s\n' "$SECRET" >"$FIFO" & "#, r#""$FIFO""#),
        ("", r#"<(printf '%s\n' "$SECRET")"#),
    ] {
        let script = format!("{make}exec \"$CLSH\" --password-file {name} -h n1 id -un");
        let mut call = Command::new("bash");
        call.args(["-c", &script])
            .env("CLSH", env!("CARGO_BIN_EXE_clsh"))
            .env("CLSH_SSH_CONFIG", world.config(me, ""))
            .env("XDG_CONFIG_HOME", "/dev/null")
            .env("SECRET", &me.password)
            .env("FIFO", &fifo)
            .stdin(Stdio::null());
        is_welcome(&run(&mut call), &["n1"], me);
    }
}

#[test]
fn the_first_line_of_stdin_is_the_password_and_all_the_rest_the_commands() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = &world.person;
    // What follows begins and ends in bytes that a careless reader would take along or leave.
    let rest: Vec<u8> = (0..200_000_u32)
        .flat_map(|n| n.to_le_bytes())
        .chain(*b"\r")
        .collect();
    let all = [format!("{}\n", me.password).as_bytes(), &rest].concat();
    let sum = {
        let path = me.path("rest");
        fs::write(&path, &rest).expect("write");
        must(&["cksum", path.to_str().expect("text")])
    };
    let sum: Vec<&str> = sum.split(' ').take(2).collect();
    let path = me.path("all");
    fs::write(&path, &all).expect("write");
    let words = ["--password-file", "-", "-f", "1", "-h", "n[1-2]", "cksum"];
    for piped in [true, false] {
        let mut call = world.clsh(me, words);
        let done = match piped {
            true => {
                let mut running = support::start(call.stdin(Stdio::piped()));
                running.stdin().write_all(&all).expect("write");
                running.finish()
            }
            false => run(call.stdin(File::open(&path).expect("open"))),
        };
        let lines = [1, 2].map(|node| format!("n{node}: {}", sum.join(" ")));
        assert_eq!((done.code(), done.err()), (0, String::new()));
        assert_eq!(done.sorted(), lines, "piped: {piped}");
    }
}

#[test]
fn stdin_by_another_name_is_stdin_all_the_same() {
    let Some(world) = accounts::world() else {
        return;
    };
    let me = &world.person;
    let path = me.write_private("named", &format!("{}\nrest", me.password));
    for piped in [true, false] {
        let mut call = world.clsh(me, ["--password-file", "/dev/stdin", "-h", "n1", "cat"]);
        let done = match piped {
            true => {
                let mut running = support::start(call.stdin(Stdio::piped()));
                let text = fs::read(&path).expect("read");
                running.stdin().write_all(&text).expect("write");
                running.finish()
            }
            false => run(call.stdin(File::open(&path).expect("open"))),
        };
        assert_eq!(
            (done.code(), done.out()),
            (0, "n1: rest\n".into()),
            "{piped}"
        );
    }
}

#[test]
fn a_session_s_script_may_begin_with_it() {
    let Some(world) = accounts::world() else {
        return;
    };
    let mut call = world.clsh(&world.person, ["--password-file", "-", "-h", "n1,k1"]);
    let mut running = support::start(call.stdin(Stdio::piped()));
    let text = format!("{}\ncat\nid -un\n", world.person.password);
    running.stdin().write_all(text.as_bytes()).expect("write");
    is_welcome(&running.finish(), &["k1", "n1"], &world.person);
}

#[test]
fn a_terminal_is_not_read_as_a_file_since_it_would_show_what_is_typed() {
    let call = clsh_with(["-F", "none", "--password-file", "-", "-h", "n1", "true"]);
    let mut terminal = Sitting::new(call).start();
    assert_eq!(terminal.finish(), 2);
    assert!(
        terminal.text().contains("-A asks for it"),
        "{}",
        terminal.text()
    );
}

#[test]
fn flags_that_want_two_things_of_it_are_refused() {
    for (words, said) in [
        (
            vec!["-A", "--password-file", "x", "-h", "n", "true"],
            ["-A", "--password-file"],
        ),
        (
            vec!["--hostfile", "-", "--password-file", "-", "true"],
            ["--hostfile -", "--password-file"],
        ),
        (
            vec!["-A", "-R", "exec", "-h", "n", "true"],
            ["--askpass", "exec"],
        ),
        (
            vec!["--password-file", "x", "-R", "sh -c", "-h", "n", "true"],
            ["--password-file", "ssh"],
        ),
        (
            vec!["--sudo", "-R", "exec", "-h", "n", "true"],
            ["-R exec", "--sudo"],
        ),
        (
            vec!["--sudo", "--bare", "-h", "n", "true"],
            ["--bare", "--sudo"],
        ),
        (
            vec!["--sudo", "--tty", "-h", "n", "true"],
            ["--tty", "--sudo"],
        ),
        (
            vec!["--sudo-user", "x", "-i", "-h", "n"],
            ["--sudo", "single run"],
        ),
    ] {
        let done = support::run_clsh(&words);
        assert_eq!(done.code(), 2, "{words:?}: {}", done.err());
        for part in said {
            assert!(done.err().contains(part), "{words:?}: {}", done.err());
        }
        assert_eq!(done.out(), "");
    }
}

/// clsh with these lines in its file of flags.
fn configured(home: &Path, lines: &str) -> Command {
    let directory = home.join(".config/clsh");
    fs::create_dir_all(&directory).expect("mkdir");
    fs::write(directory.join("config"), lines).expect("write");
    let mut call = support::clsh();
    call.env_remove("XDG_CONFIG_HOME").env("HOME", home);
    call
}

#[test]
fn the_file_of_flags_may_name_the_file() {
    let Some(world) = accounts::world() else {
        return;
    };
    let home = support::scratch();
    file(home.path(), "secret", &world.person.password, 0o600);
    let mut call = configured(home.path(), "--password-file ~/secret\n");
    call.env("CLSH_SSH_CONFIG", world.config(&world.person, ""));
    is_welcome(
        &run(call.args(["-h", "n1", "id -un"])),
        &["n1"],
        &world.person,
    );
}

#[test]
fn the_file_of_flags_may_ask_and_is_passed_over_where_that_is_no_use() {
    let home = support::scratch();
    let call = |words: &[&str]| {
        let mut call = configured(home.path(), "--askpass\n--sudo\n");
        call.args(words);
        call
    };
    // Neither is for commands that run here.
    let done = run(&mut call(&["-h", "n1", "-R", "exec", "echo", "here"]));
    assert_eq!(
        (done.out(), done.err()),
        ("n1: here\n".into(), String::new())
    );
    let mut terminal = Sitting::new(call(&["-h", "n1", "true"]))
        .home(home.path())
        .start();
    terminal.wait_for("clsh: password:");
    terminal.type_keys(CTRL_C);
    assert_eq!(terminal.finish(), 130);
}
