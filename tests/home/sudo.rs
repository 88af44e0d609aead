//! `--sudo` with the real one: who the command runs as, what it reads, and what is said where sudo does not let it.

use crate::accounts::{self, Account, without_terminal};
use crate::nodes::must;
use crate::support::{self, Finished, run};
use crate::terminal::Sitting;
use std::fs::{self, File};
use std::io::Write;
use std::process::Stdio;

fn lines(nodes: &[&str], line: &str) -> Vec<String> {
    nodes.iter().map(|node| format!("{node}: {line}")).collect()
}

fn said(done: &Finished) -> (i32, String) {
    (done.code(), done.err())
}

/// What all that is well says.
const WELL: (i32, String) = (0, String::new());

#[test]
fn the_command_is_root_s_on_every_node_and_knows_where_it_runs() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::sudoer();
    let command = "echo $(id -un) $HOME $CLSH_HOST $CLSH_RANK $CLSH_COUNT ${SUDO_COMMAND-none}";
    for words in [vec![], vec!["-n"], vec!["-f", "1"]] {
        let words = [&words[..], &["--sudo", "-h", "n[1-2],k1", command]].concat();
        let done = run(&mut account.given(world, words));
        assert_eq!(said(&done), WELL);
        let expected = [
            "k1: root /root k1 2 3 none",
            "n1: root /root n1 0 3 none",
            "n2: root /root n2 1 3 none",
        ];
        assert_eq!(done.sorted(), expected);
    }
}

#[test]
fn what_the_command_reads_is_whole_after_the_password() {
    if accounts::world().is_none() {
        return;
    }
    for rules in [
        "NAME ALL=(ALL) ALL\nDefaults:NAME use_pty",
        "NAME ALL=(ALL) ALL\nDefaults:NAME !use_pty",
        "NAME ALL=(ALL) NOPASSWD: ALL",
    ] {
        let account = Account::with_sudo(rules);
        let path = account.path("input");
        let bytes: Vec<u8> = (0..1_u32 << 18)
            .flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes())
            .collect();
        fs::write(&path, &bytes).expect("write");
        let sum = must(&["cksum", path.to_str().expect("text")]);
        let sum: Vec<&str> = sum.split(' ').take(2).collect();
        let expected = lines(&["a1", "a2"], &sum.join(" "));
        let words = ["-h", "a[1-2]", "cksum"];
        let done = run(account.sudo(words).stdin(File::open(&path).expect("open")));
        assert_eq!(said(&done), WELL, "{rules}");
        assert_eq!(done.sorted(), expected, "{rules}");
        let mut running = support::start(account.sudo(words).stdin(Stdio::piped()));
        running.stdin().write_all(&bytes).expect("write");
        let done = running.finish();
        assert_eq!((said(&done), done.sorted()), (WELL, expected), "{rules}");
        // Without any, there is none.
        let done = run(&mut account.sudo(["-h", "a1", "wc -c; exit 3"]));
        assert_eq!((done.code(), done.out()), (3, "a1: 0\n".into()), "{rules}");
    }
}

#[test]
fn a_command_that_reads_a_part_or_nothing_has_its_own_status() {
    if accounts::world().is_none() {
        return;
    }
    for mode in ["use_pty", "!use_pty"] {
        let account = Account::with_sudo(&format!("NAME ALL=(ALL) ALL\nDefaults:NAME {mode}"));
        let path = account.path("input");
        fs::write(&path, vec![b'x'; 1 << 20]).expect("write");
        for (command, out) in [
            ("head -c 3; echo; exit 4", "a1: xxx\n"),
            ("exit 4", ""),
            ("exec 0<&-; kill -4 $$", ""),
        ] {
            let done = run(account
                .sudo(["-h", "a1", command])
                .stdin(File::open(&path).expect("open")));
            let code = if command.contains("kill") { 132 } else { 4 };
            assert_eq!(
                (done.code(), done.out()),
                (code, out.into()),
                "{mode}: {}",
                done.err()
            );
        }
    }
}

#[test]
fn who_needs_no_password_needs_neither_one_nor_a_terminal() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::with_sudo("NAME ALL=(ALL) NOPASSWD: ALL");
    let words = [
        "--sudo",
        "-R",
        &account.transport(),
        "-h",
        "a[1-2]",
        "cat; id -un",
    ];
    let call = without_terminal(&support::clsh_with(words));
    let done = run(&mut { call });
    assert_eq!(
        (said(&done), done.sorted()),
        (WELL, lines(&["a1", "a2"], "root"))
    );
    // One that is there all the same is nothing the command reads.
    let done = run(&mut account.given(world, ["--sudo", "-h", "n1", "cat; id -un"]));
    assert_eq!((said(&done), done.out()), (WELL, "n1: root\n".into()));
}

#[test]
fn who_has_none_where_it_is_asked_for_is_told_how_to_give_one() {
    if accounts::world().is_none() {
        return;
    }
    let account = Account::sudoer();
    for command in ["true", "cat"] {
        let words = [
            "--sudo",
            "-R",
            &account.transport(),
            "-h",
            "a[1-2]",
            command,
        ];
        let mut call = without_terminal(&support::clsh_with(words));
        let done = run(call.stdin(File::open("/etc/passwd").expect("open")));
        assert_eq!(done.code(), 1, "{}", done.err());
        let told = "sudo asks for a password, and there is none; --password-file FILE gives one";
        assert_eq!(done.err().matches(told).count(), 2, "{}", done.err());
        assert!(
            done.err()
                .ends_with("clsh: a[1-2] (2): exited with exit code 1\n"),
            "{}",
            done.err()
        );
    }
}

/// Two nodes whose sudo is given a wrong one.
fn wrong(words: &[&str]) {
    let account = Account::with_sudo("NAME ALL=(ALL) ALL\nDefaults:NAME logfile=LOG,loglinelen=0");
    let words = [&["-h", "a[1-2]"], words].concat();
    let mut call = account.sudo_with("wrong", words);
    let done = run(call.stdin(File::open("/etc/passwd").expect("open")));
    let err = done.err();
    assert_eq!((done.code(), done.out()), (1, String::new()), "{err}");
    for node in ["a1", "a2"] {
        let told = format!("clsh: {node}: sudo does not take this password\n");
        assert_eq!(err.matches(&told).count(), 1, "{err}");
    }
    let summary = "clsh: a[1-2] (2): exited with exit code 1\n";
    assert!(err.ends_with(summary), "{err}");
    let log = fs::read_to_string(account.path("sudo.log")).expect("the log");
    let failures = log.matches("incorrect password attempt").count();
    let once = log.matches(" : 1 incorrect password attempt ;").count();
    assert_eq!((failures, once), (2, 2), "{log}");
}

#[test]
fn a_wrong_one_is_tried_once_a_node_and_each_is_named() {
    if accounts::world().is_none() {
        return;
    }
    // All at once: to say no takes its time.
    std::thread::scope(|scope| {
        scope.spawn(|| wrong(&["cat"]));
        scope.spawn(|| wrong(&["-n", "true"]));
        // That is no connection that failed.
        scope.spawn(|| wrong(&["--retries", "2", "--retry-delay", "0", "true"]));
    });
}

#[test]
fn the_words_of_a_sudo_that_refuses_are_shown_with_its_status() {
    if accounts::world().is_none() {
        return;
    }
    let nobody = Account::new();
    let tty = Account::with_sudo("NAME ALL=(ALL) ALL\nDefaults:NAME requiretty");
    let other = Account::with_sudo("NAME ALL=(ALL) /usr/bin/id");
    for (account, words) in [
        (&nobody, "is not in the sudoers file"),
        (&tty, "you must have a tty"),
        (&other, "is not allowed to execute"),
    ] {
        let done = run(&mut account.sudo(["-h", "a[1-2]", "id"]));
        assert_eq!(
            (done.code(), done.out()),
            (1, String::new()),
            "{}",
            done.err()
        );
        assert_eq!(done.err().matches(words).count(), 2, "{}", done.err());
    }
}

#[test]
fn a_node_without_sudo_is_one_without_that_program() {
    if accounts::world().is_none() {
        return;
    }
    let account = Account::new();
    let transport = account
        .transport()
        .replace("NODE=%h", "NODE=%h PATH=/nowhere");
    let transport = transport
        .replace(" sh -c", " /bin/sh -c")
        .replace("exec sh", "exec /bin/sh");
    let place = account.path("bin");
    fs::create_dir(&place).expect("mkdir");
    for program in ["sh", "sleep", "setsid"] {
        let found = must(&["sh", "-c", &format!("command -v {program}")]);
        std::os::unix::fs::symlink(found.trim(), place.join(program)).expect("link");
    }
    let transport = transport.replace("/nowhere", place.to_str().expect("text"));
    let mut call = support::clsh_with(["--sudo", "-R", &transport, "--password-file"]);
    let done = run(call
        .arg(account.path("password"))
        .args(["-h", "a1", "true"]));
    assert_eq!(done.code(), 127, "{}", done.err());
    assert!(done.err().contains("sudo: not found"), "{}", done.err());
}

#[test]
fn another_user_than_root_may_be_one_who_never_logs_in() {
    if accounts::world().is_none() {
        return;
    }
    let account = Account::sudoer();
    let words = ["--sudo-user", "nobody", "-h", "a[1-2]", "id -un; cat"];
    let done = run(account.sudo(words).stdin(Stdio::null()));
    assert_eq!(
        (said(&done), done.sorted()),
        (WELL, lines(&["a1", "a2"], "nobody"))
    );
    let words = ["--sudo-user", "no-such-user", "-h", "a1", "id -un"];
    let done = run(&mut account.sudo(words));
    assert_eq!(done.code(), 1, "{}", done.err());
    assert!(done.err().contains("no-such-user"), "{}", done.err());
}

/// What a terminal shows at which the password was typed, once that went well.
fn shown_when_typed(call: std::process::Command, prompt: &str, password: &str) -> String {
    let mut terminal = Sitting::new(call).start();
    terminal.wait_for(prompt);
    terminal.type_keys(format!("{password}\r"));
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    terminal.text()
}

#[test]
fn it_is_asked_for_at_the_terminal_though_stdin_is_none() {
    if accounts::world().is_none() {
        return;
    }
    let account = Account::sudoer();
    let script = "echo input | \"$CLSH\" --sudo -R \"$WAY\" -h 'a[1-2]' 'id -un; cat'";
    let mut call = std::process::Command::new("sh");
    call.args(["-c", script])
        .env("CLSH", env!("CARGO_BIN_EXE_clsh"))
        .env("WAY", account.transport())
        .env("XDG_CONFIG_HOME", "/dev/null");
    let shown = shown_when_typed(call, "clsh: password for sudo:", &account.password);
    for line in ["a1: root", "a1: input", "a2: root", "a2: input"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    assert_eq!(shown.matches("password for sudo").count(), 1, "{shown}");
    assert!(!shown.contains(&account.password), "{shown}");
}

#[test]
fn what_is_typed_for_ssh_is_for_sudo_as_well() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::sudoer();
    let call = world.clsh(&account, ["-A", "--sudo", "-h", "n1,k1", "id -un"]);
    let shown = shown_when_typed(call, "clsh: password:", &account.password);
    assert!(
        shown.contains("n1: root") && shown.contains("k1: root"),
        "{shown}"
    );
    assert_eq!(shown.matches("clsh: password").count(), 1, "{shown}");
}

#[test]
fn enter_means_none() {
    if accounts::world().is_none() {
        return;
    }
    let account = Account::with_sudo("NAME ALL=(ALL) NOPASSWD: ALL");
    let words = ["--sudo", "-R", &account.transport(), "-h", "a1", "id -un"];
    let mut terminal = Sitting::new(support::clsh_with(words)).start();
    terminal.wait_for("clsh: password for sudo:");
    terminal.type_keys("\r");
    assert_eq!(terminal.finish(), 0, "{}", terminal.text());
    assert!(terminal.text().contains("a1: root"), "{}", terminal.text());
}

#[test]
fn every_shape_of_output_shows_the_command_s_lines_and_nothing_of_the_asking() {
    if accounts::world().is_none() {
        return;
    }
    // Its lecture comes with the first question, as what sudo has to say.
    let account = Account::with_sudo("NAME ALL=(ALL) ALL\nDefaults:NAME lecture=never");
    let call = |words: &[&str]| {
        let words = [words, &["-h", "a[1-2]", "id -un; echo bad >&2; exit 7"]].concat();
        let done = run(&mut account.sudo(words));
        assert_eq!(done.code(), 7, "{}", done.err());
        done
    };
    let rule = "---------------";
    let group = format!("{rule}\na[1-2] (2)\n{rule}\nroot\nstderr: bad\n");
    assert_eq!(call(&["-b"]).out(), group);
    assert_eq!(call(&["-L"]).out(), "a1: root\na2: root\n");
    let json = call(&["--json"]).out();
    let of = |part: &str| json.lines().filter(|line| line.contains(part)).count();
    assert_eq!(of(r#""stream":"stdout","line":"root"}"#), 2, "{json}");
    assert_eq!(of(r#""stream":"stderr","line":"bad"}"#), 2, "{json}");
    assert_eq!(
        (of("\"stream\""), of("\"event\":\"exit\",\"status\":7")),
        (4, 2),
        "{json}"
    );
    let done = call(&["--retries", "2", "--retry-delay", "0"]);
    assert_eq!(done.sorted(), lines(&["a1", "a2"], "root"));
}

#[test]
fn a_sudo_that_takes_its_time_is_no_node_that_does_not_answer() {
    let place = support::scratch();
    let path = std::env::var("PATH").unwrap_or_default();
    let way = format!("env PATH={}:{path} NODE=%h sh -c", place.path().display());
    let secret = place.path().join("password");
    fs::write(&secret, "sesame\n").expect("write");
    must(&["chmod", "600", secret.to_str().expect("text")]);
    // On a busy machine even a node that is well may not be heard of at once.
    let heard = [("1", "3"), ("5", "8"), ("20", "24")].into_iter().any(|(patience, time)| {
        let text = format!(
            "#!/bin/sh\nprintf %s \"$SUDO_PROMPT\" >&2\nread -r line\nsleep {time}\nshift 4\nexec \"$@\"\n"
        );
        support::script(place.path(), "sudo", &text);
        let words = ["--sudo", "-t", patience, "-R", &way, "-h", "a1", "--password-file"];
        let mut call = support::clsh_with(words);
        let done = run(call.arg(&secret).arg("echo done"));
        done.out() == "a1: done\n"
    });
    assert!(heard);
}
