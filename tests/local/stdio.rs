//! The open files clsh was given are shared with whoever started it: none of their flags ever changes, and stdin is left alone.

use crate::kit::{Held, TERM, count, exec, nap, open_flags, read_all, through};
use crate::support::{children, clsh_with, not_run, run, running, scratch, start, wait_until};
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

/// Runs a call with these three streams, and checks before, while and after that the flags of the test's own copies and of clsh's stay.
/// `peers` are other ends that must stay as well.
fn flags_stay(streams: [OwnedFd; 3], peers: &[&dyn AsRawFd]) {
    let me = std::process::id() as i32;
    let own: Vec<i32> = streams
        .iter()
        .map(AsRawFd::as_raw_fd)
        .chain(peers.iter().map(|peer| peer.as_raw_fd()))
        .collect();
    let look = || own.iter().map(|&fd| open_flags(me, fd)).collect::<Vec<_>>();
    let before = look();
    let nap = nap();
    let script = format!("echo out; echo err >&2; exec sleep {nap}");
    let [stdin, stdout, stderr] = streams
        .each_ref()
        .map(|fd| Stdio::from(fd.try_clone().expect("dup")));
    let mut call = exec("n[1-2]", ["sh", "-c", &script]);
    let mut held = Held::start(call.stdin(stdin).stdout(stdout).stderr(stderr));
    wait_until("two nodes", || count(&["sleep", &nap]) == 2);
    assert_eq!(look(), before, "while it runs");
    for (number, flags) in before.iter().take(3).enumerate() {
        let number = number as i32;
        let theirs = open_flags(held.pid(), number);
        // Close-on-exec belongs to the descriptor and not to the open file.
        let bits = |text: &str| i64::from_str_radix(text, 8).expect("octal") & !0o2000000;
        assert_eq!(bits(&theirs), bits(flags), "descriptor {number} of clsh");
    }
    held.signal(TERM);
    assert_eq!(held.wait(), 128 + TERM);
    assert_eq!(look(), before, "after it");
}

#[test]
fn flags_of_pipes_stay() {
    let (in_far, in_near) = std::io::pipe().expect("pipe");
    let (out_far, out_near) = std::io::pipe().expect("pipe");
    let (err_far, err_near) = std::io::pipe().expect("pipe");
    flags_stay(
        [in_far.into(), out_near.into(), err_near.into()],
        &[&in_near, &out_far, &err_far],
    );
}

#[test]
fn flags_of_files_stay() {
    let directory = scratch();
    let path = |name: &str| directory.path().join(name);
    std::fs::write(path("in"), "text").expect("write");
    flags_stay(
        [
            File::open(path("in")).expect("open").into(),
            File::create(path("out")).expect("create").into(),
            File::options()
                .append(true)
                .create(true)
                .open(path("err"))
                .expect("create")
                .into(),
        ],
        &[],
    );
    assert_eq!(
        std::fs::read_to_string(path("out"))
            .expect("read")
            .lines()
            .count(),
        2
    );
}

#[test]
fn flags_of_sockets_stay() {
    let (near, far) = UnixStream::pair().expect("pair");
    let fd = |stream: &UnixStream| stream.as_fd().try_clone_to_owned().expect("dup");
    flags_stay([fd(&near), fd(&near), fd(&near)], &[&near, &far]);
}

#[test]
fn flags_of_a_terminal_stay() {
    let directory = scratch();
    let nap = nap();
    // The shell shares its descriptors with clsh; its own flags are looked at before, while and after.
    let look = |file| {
        // In a subshell: some shells redirect themselves for a moment.
        let line = |n| format!("(grep flags: /proc/$$/fdinfo/{n} >>{file});");
        [0, 1, 2].map(line).concat()
    };
    let words = format!(
        "{} \"$CLSH\" -h n1 -R exec sh -c 'echo up; while [ ! -e go ]; do sleep 0.01; done' {nap}; {}",
        look("before"),
        look("after")
    );
    let mut call = Command::new("script");
    call.args(["-qec", &words, "/dev/null"])
        .env("CLSH", env!("CARGO_BIN_EXE_clsh"))
        .env("SHELL", "/bin/sh")
        .current_dir(directory.path())
        .stdin(Stdio::null());
    let terminal = start(&mut call);
    terminal.stdout.wait_for("up");
    let shell = children(terminal.pid())[0].pid;
    let clsh = children(shell)[0].pid;
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect("read");
    let flags: Vec<String> = read("before")
        .lines()
        .map(|line| line.trim_start_matches("flags:").trim().to_owned())
        .collect();
    for pid in [shell, clsh] {
        let now: Vec<String> = (0..3).map(|number| open_flags(pid, number)).collect();
        assert_eq!(now, flags);
    }
    std::fs::write(directory.path().join("go"), "").expect("write");
    assert_eq!(terminal.finish().code(), 0);
    assert_eq!(read("before"), read("after"));
}

#[test]
fn a_socket_as_stdout_gets_every_byte() {
    let (near, far) = UnixStream::pair().expect("pair");
    let script = "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i of many; done";
    let mut call = exec("n1", ["sh", "-c", script]);
    let mut held = Held::start(call.stdout(OwnedFd::from(near)).stderr(Stdio::null()));
    // The call holds a copy of the near end: only when it is gone does the far end see an end.
    drop(call);
    let out = String::from_utf8(read_all(&far)).expect("text");
    assert_eq!(held.wait(), 0);
    assert!(
        out.lines()
            .eq((1..=20_000).map(|i| format!("n1: line {i} of many")))
    );
}

#[test]
fn a_socket_whose_reader_left_ends_the_run() {
    let (near, far) = UnixStream::pair().expect("pair");
    let nap = nap();
    let mut call = exec("n1", ["yes", &nap]);
    let mut held = Held::start(call.stdout(OwnedFd::from(near)).stderr(Stdio::null()));
    drop(call);
    let mut some = [0; 4096];
    (&far).read_exact(&mut some).expect("read");
    drop(far);
    assert_eq!(held.wait(), 141);
    assert_eq!(count(&["yes", &nap]), 0);
}

#[test]
fn with_n_commands_get_an_empty_stdin_and_clshs_own_is_left_alone() {
    let (far, mut near) = std::io::pipe().expect("pipe");
    near.write_all(b"not for the nodes\n").expect("write");
    let mut call = exec("n[1-2]", ["-n", "cat"]);
    let done = run(call.stdin(far.try_clone().expect("dup")));
    assert_eq!((done.code(), done.out(), done.err()), Default::default());
    drop((near, call));
    assert_eq!(read_all(far), b"not for the nodes\n");
}

#[test]
fn closed_standard_streams_do_no_harm() {
    let directory = scratch();
    let call = exec("n1", ["sh", "-c", "echo out; echo err >&2; exit 3"]);
    for script in [r#""$@" <&-"#, r#""$@" 2>&-"#, r#""$@" <&- 2>&-"#] {
        let done = run(through("sh", script, &call).current_dir(directory.path()));
        assert_eq!(done.code(), 3, "{script}: {}", done.err());
    }
    // Nothing is run whose output would be lost without a word.
    let touch = exec("n1", ["touch", "ran"]);
    for script in [r#""$@" >&-"#, r#""$@" <&- >&-"#, r#""$@" <&- >&- 2>&-"#] {
        let done = run(through("sh", script, &touch).current_dir(directory.path()));
        assert_eq!(done.code(), 2, "{script}");
        let said = done.err().contains("clsh: standard output is closed");
        assert_eq!(said, !script.contains("2>&-"), "{script}: {}", done.err());
    }
    assert_eq!(
        std::fs::read_dir(directory.path()).expect("read").count(),
        0
    );
}

#[test]
fn a_full_disk_ends_the_run_with_words_and_255() {
    let nap = nap();
    let script = format!("echo x; exec sleep {nap}");
    let mut call = exec("n[1-2]", ["sh", "-c", &script]);
    let full = File::options().write(true).open("/dev/full").expect("open");
    let mut held = Held::start(call.stdout(full).stderr(Stdio::piped()));
    let err = String::from_utf8(read_all(held.0.stderr.take().expect("piped"))).expect("text");
    assert_eq!(held.wait(), 255);
    assert!(
        err.contains("cannot write to standard output: No space left on device"),
        "{err}"
    );
    assert!(running(&["sleep", &nap]).is_empty());
}

/// The status of a call whose stderr takes nothing: a full disk, and a pipe that nobody reads.
fn statuses_without_stderr(call: &mut Command) -> [i32; 2] {
    let full = File::options().write(true).open("/dev/full").expect("open");
    let (reader, broken) = std::io::pipe().expect("pipe");
    drop(reader);
    [Stdio::from(full), Stdio::from(broken)].map(|stderr| {
        let mut held = Held::start(call.stdout(Stdio::null()).stderr(stderr));
        held.wait()
    })
}

#[test]
fn a_stderr_that_takes_nothing_changes_no_status() {
    let mut wrong = clsh_with(["--no-such-flag"]);
    assert_eq!(statuses_without_stderr(&mut wrong), [2, 2]);
    let mut noted = clsh_with(["-R", "exec", "false"]);
    noted.env("CLSH_HOSTS", "n1");
    assert_eq!(statuses_without_stderr(&mut noted), [1, 1]);
}

#[test]
fn a_device_that_has_nothing_to_read_keeps_nobody_waiting() {
    // It blocks whoever has read all of the kernel's messages.
    let Ok(device) = File::open("/dev/kmsg") else {
        return not_run("/dev/kmsg cannot be read here");
    };
    let done = run(exec("n1", ["true"]).stdin(device.try_clone().expect("dup")));
    assert_eq!(done.code(), 0, "{}", done.err());
    let nap = nap();
    let running = start(exec("n1", ["sleep", &nap]).stdin(device));
    wait_until("the command", || count(&["sleep", &nap]) == 1);
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
}
