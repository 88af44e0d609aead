//! Where a password must never stand: in arguments, environments and files, before a stranger's eyes, and in clsh's memory once nobody
//! can ask for it any more.

use crate::accounts::{self, Account};
use crate::nodes::{Sleep, must};
use crate::support::{self, Running};
use crate::terminal::Sitting;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// What is looked for, and where.
struct Search {
    secret: Vec<u8>,
}

impl Search {
    fn new(account: &Account) -> Self {
        let secret = account.password.clone().into_bytes();
        Self { secret }
    }

    /// Whether there is a piece of it. What was given back to the allocator has other things in its first bytes.
    fn is_in(&self, bytes: &[u8]) -> bool {
        let pieces = [&self.secret[..24], &self.secret[24..]];
        pieces.iter().any(|piece| {
            let begins = bytes
                .iter()
                .enumerate()
                .filter(|&(_, byte)| *byte == piece[0]);
            begins
                .into_iter()
                .any(|(at, _)| bytes[at..].starts_with(piece))
        })
    }

    /// Looks at arguments and environments of all processes; gives how many of them ask on behalf of ssh.
    fn processes(&self) -> usize {
        let mut asking = 0;
        for process in support::processes() {
            for name in ["cmdline", "environ"] {
                let bytes = fs::read(format!("/proc/{}/{name}", process.pid));
                let found = bytes.is_ok_and(|bytes| self.is_in(&bytes));
                assert!(!found, "in {name} of {process:?}");
            }
            let first = process.words.first();
            asking += usize::from(first.is_some_and(|word| word.ends_with("/clsh-askpass")));
        }
        asking
    }

    /// Looks at all files below; gives how many there are.
    fn files(&self, directory: &Path) -> usize {
        let mut count = 0;
        let entries = fs::read_dir(directory).into_iter().flatten().flatten();
        for entry in entries {
            count += 1;
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => count += self.files(&entry.path()),
                Ok(kind) if kind.is_file() => {
                    let bytes = fs::read(entry.path()).unwrap_or_default();
                    assert!(!self.is_in(&bytes), "in {}", entry.path().display());
                }
                _ => {}
            }
        }
        count
    }

    /// Whether it stands in what a process may write to.
    fn is_in_memory(&self, pid: i32) -> bool {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).expect("maps");
        let memory = File::open(format!("/proc/{pid}/mem")).expect("mem");
        maps.lines().any(|line| {
            let mut fields = line.split_whitespace();
            let (range, modes) = (fields.next().expect("range"), fields.next().expect("modes"));
            if !modes.starts_with("rw") {
                return false;
            }
            let (from, to) = range.split_once('-').expect("a range");
            let number = |text| u64::from_str_radix(text, 16).expect("hex");
            let (from, to) = (number(from), number(to));
            let mut bytes = vec![0; (to - from) as usize];
            memory.read_exact_at(&mut bytes, from).is_ok() && self.is_in(&bytes)
        })
    }
}

/// A program in the place of ssh that asks once `go` is there, and then stays for as long as `stay` is.
struct Slow {
    directory: tempfile::TempDir,
}

impl Slow {
    fn new(before: &str) -> Self {
        let directory = support::scratch();
        let text = format!(
            "#!/bin/sh\ncd \"$(dirname \"$0\")\" || exit\n{before}\n>here.$$\nwhile ! test -e go; do sleep 0.02; done\n\
             answer=$(\"$SSH_ASKPASS\" \"me@$$'s password: \")\ntest \"$answer\" && echo answered >&2\nexit 255\n"
        );
        support::script(directory.path(), "ssh", &text);
        fs::create_dir(directory.path().join("tmp")).expect("mkdir");
        Self { directory }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn start(&self, account: &Account) -> Running {
        self.start_in(&self.path("tmp"), account)
    }

    /// With this as the place for temporary files.
    fn start_in(&self, tmp: &Path, account: &Account) -> Running {
        let call = ["-F", "none", "-h", "n[1-12]", "--password-file"];
        let mut call = support::clsh_with(call);
        let path = std::env::var("PATH").unwrap_or_default();
        call.arg(account.path("password"))
            .arg("true")
            .env(
                "PATH",
                format!("{}:{path}", self.directory.path().display()),
            )
            .env("TMPDIR", tmp);
        support::start(&mut call)
    }

    /// How many files are there whose name begins so.
    fn count(&self, start: &str) -> usize {
        let names = fs::read_dir(self.directory.path()).expect("read").flatten();
        names
            .filter(|entry| entry.file_name().to_string_lossy().starts_with(start))
            .count()
    }

    /// The only directory in TMPDIR.
    fn place(&self) -> Option<PathBuf> {
        Some(fs::read_dir(self.path("tmp")).ok()?.next()?.ok()?.path())
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o7777
}

#[test]
fn while_it_is_asked_for_it_stands_in_no_argument_environment_or_file() {
    let Some(world) = accounts::world() else {
        return;
    };
    let search = Search::new(&world.person);
    let slow = Slow::new("");
    let running = slow.start(&world.person);
    support::wait_until("all there", || slow.count("here.") == 12);
    let place = slow.place().expect("a directory");
    assert_eq!((mode(&place), mode(&place.join("socket"))), (0o700, 0o700));
    // It has it, so that what is found here is to be found.
    assert!(search.is_in_memory(running.pid()));
    // While clsh is stopped, all who ask wait for their answer.
    running.signal(19);
    crate::kit::wait_stopped(running.pid());
    fs::write(slow.path("go"), "").expect("write");
    support::wait_until("all ask", || search.processes() == 12);
    running.signal(18);
    let err = running.stderr.clone();
    let all = || err.text().matches(": answered\n").count() == 12;
    while !all() {
        search.processes();
        assert!(search.files(&slow.path("tmp")) <= 3);
        assert!(support::is_alive(running.pid()) || all(), "{}", err.text());
    }
    assert_eq!(running.finish().code(), 255);
    assert_eq!(search.files(&slow.path("tmp")), 0, "left behind");
}

#[test]
fn the_place_for_temporary_files_may_have_any_name() {
    let Some(world) = accounts::world() else {
        return;
    };
    let slow = Slow::new("");
    let place = slow
        .directory
        .path()
        .join(OsStr::from_bytes(b"t m\xffp'\n\""));
    fs::create_dir(&place).expect("mkdir");
    fs::write(slow.path("go"), "").expect("write");
    let done = slow.start_in(&place, &world.person).finish();
    let answered = done.err().matches(": answered\n").count();
    assert_eq!(answered, 12, "{}", done.err());
    assert_eq!(
        fs::read_dir(&place).expect("read").count(),
        0,
        "left behind"
    );
}

#[test]
fn nothing_of_the_asking_stays_when_the_run_is_ended_meanwhile() {
    let Some(world) = accounts::world() else {
        return;
    };
    let search = Search::new(&world.person);
    for signal in [2, 15, 3] {
        let slow = Slow::new("");
        let running = slow.start(&world.person);
        support::wait_until("all there", || slow.count("here.") == 12);
        running.signal(signal);
        assert_eq!(running.finish().code(), 128 + signal);
        assert_eq!(search.files(&slow.path("tmp")), 0, "after {signal}");
    }
}

#[test]
fn at_a_real_login_and_for_sudo_it_stands_nowhere_either() {
    let Some(world) = accounts::world() else {
        return;
    };
    let account = Account::sudoer();
    let search = Search::new(&account);
    let sleep = Sleep::new(901);
    let directory = support::scratch();
    let words = ["--sudo", "-h", "n[1-3],k[1-3]", &sleep.command()];
    let mut call = account.given(world, words);
    let running = support::start(call.env("TMPDIR", directory.path()));
    while sleep.running().len() < 6 {
        search.processes();
        search.files(directory.path());
        assert!(
            support::is_alive(running.pid()),
            "{}",
            running.stderr.text()
        );
    }
    search.processes();
    support::wait_until("no password in memory", || {
        !search.is_in_memory(running.pid())
    });
    assert_eq!(search.files(directory.path()), 0, "nobody asks any more");
    running.signal(15);
    assert_eq!(running.finish().code(), 143);
    sleep.wait_gone();
}

#[test]
fn from_a_file_or_stdin_it_is_wiped_once_all_nodes_are_there() {
    let Some(world) = accounts::world() else {
        return;
    };
    let search = Search::new(&world.person);
    for (number, piped) in [(902, false), (903, true)] {
        let sleep = Sleep::new(number);
        let command = sleep.command();
        let words = ["-h", "n[1-3]", &command];
        let mut running = match piped {
            false => support::start(&mut world.given(words)),
            true => {
                let words = ["--password-file", "-"].into_iter().chain(words);
                support::start(world.clsh(&world.person, words).stdin(Stdio::piped()))
            }
        };
        if piped {
            let line = format!("{}\n", world.person.password);
            running.stdin().write_all(line.as_bytes()).expect("write");
        }
        sleep.wait_for(3);
        let what = format!("no password in memory; piped: {piped}");
        support::wait_until(&what, || !search.is_in_memory(running.pid()));
        assert!(
            support::is_alive(running.pid()),
            "{}",
            running.stderr.text()
        );
    }
}

#[test]
fn what_was_typed_is_wiped_although_one_node_never_was_reached() {
    let Some(world) = accounts::world() else {
        return;
    };
    let search = Search::new(&world.person);
    let sleep = Sleep::new(904);
    let call = world.clsh(&world.person, ["-A", "-h", "n[1-2],down", &sleep.command()]);
    let mut terminal = Sitting::new(call).start();
    terminal.wait_for("clsh: password:");
    assert!(!search.is_in_memory(terminal.pid()));
    terminal.type_keys(format!("{}\r", world.person.password));
    sleep.wait_for(2);
    terminal.wait_for("ERROR: down connection failed");
    support::wait_until("no password in memory", || {
        !search.is_in_memory(terminal.pid())
    });
    assert!(support::is_alive(terminal.pid()));
}

#[test]
fn a_stranger_who_gets_as_far_as_the_socket_is_not_answered() {
    let Some(world) = accounts::world() else {
        return;
    };
    // Where everybody may run it, whatever the tests' own place is.
    let place = world.person.path("everybody-s");
    must(&[
        "install",
        "-m",
        "755",
        env!("CARGO_BIN_EXE_clsh"),
        place.to_str().expect("text"),
    ]);
    let before = r#"
        chmod 711 "${SSH_ASKPASS%/*}" && chmod 777 "${SSH_ASKPASS%/*}/socket"
        stranger=$(setpriv --reuid 65534 --regid 65534 --clear-groups "$SSH_ASKPASS" "me@n's password: ")
        echo "stranger <$stranger> $?" >&2
        me=$("$SSH_ASKPASS" "me@n's password: ")
        echo "me <$me> $?" >&2
        exit 255"#;
    let slow = Slow::new(before);
    must(&["chmod", "755", slow.path(".").to_str().expect("text")]);
    must(&["chmod", "711", slow.path("tmp").to_str().expect("text")]);
    let mut call = std::process::Command::new(place);
    let path = std::env::var("PATH").unwrap_or_default();
    call.args(["--no-config", "-F", "none", "-h", "n1", "--password-file"])
        .arg(world.person.path("password"))
        .arg("true")
        .env("PATH", format!("{}:{path}", slow.path(".").display()))
        .env("TMPDIR", slow.path("tmp"))
        .stdin(Stdio::null());
    let done = support::run(&mut call);
    let err = done.err();
    assert!(err.contains("n1: stranger <> 1\n"), "{err}");
    assert!(
        err.contains(&format!("n1: me <{}> 0\n", world.person.password)),
        "{err}"
    );
}
