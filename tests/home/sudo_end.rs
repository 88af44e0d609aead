//! However a run with `--sudo` ends, nothing of it goes on as root.

use crate::accounts::{self, Account, World};
use crate::nodes::{Sleep, below, session_above, wait_all_gone};
use crate::support::{self, Running};
use std::process::{Command, Stdio};

/// Ways of sudo to run a command, and whether the command reads what clsh reads.
fn ways() -> impl Iterator<Item = (&'static str, bool)> {
    ["use_pty", "!use_pty"]
        .into_iter()
        .flat_map(|mode| [(mode, false), (mode, true)])
}

fn sudoer(mode: &str) -> Account {
    Account::with_sudo(&format!("NAME ALL=(ALL) ALL\nDefaults:NAME {mode}"))
}

/// Starts it with an open stdin, if it is to read that, and waits for two nodes that sleep.
fn started(
    mut call: Command,
    sleep: &Sleep,
    reads: bool,
) -> (Running, Option<std::process::ChildStdin>) {
    let stdin = if reads { Stdio::piped() } else { Stdio::null() };
    let mut running = support::start(call.stdin(stdin));
    let stdin = reads.then(|| running.stdin());
    sleep.wait_for(2);
    (running, stdin)
}

fn over_ssh(world: &World, account: &Account, sleep: &Sleep, more: &[&str]) -> Command {
    // Not even what ignores the polite ways.
    let command = format!("trap '' TERM HUP INT; {}; true", sleep.command());
    let words = [
        &["--sudo", "--kill-after", "1", "-h", "n[1-2]"],
        more,
        &[&command],
    ]
    .concat();
    account.given(world, words)
}

#[test]
fn after_sigint_sigterm_and_sigkill_nothing_runs_as_root() {
    let Some(world) = accounts::world() else {
        return;
    };
    std::thread::scope(|scope| {
        for (number, (mode, reads, signal)) in (910..).zip([
            ("use_pty", false, 2),
            ("!use_pty", true, 15),
            ("use_pty", true, 9),
            ("!use_pty", false, 9),
        ]) {
            scope.spawn(move || {
                let (account, sleep) = (sudoer(mode), Sleep::new(number));
                let call = over_ssh(world, &account, &sleep, &[]);
                let (running, stdin) = started(call, &sleep, reads);
                let near = below(running.pid());
                running.signal(signal);
                assert_eq!(running.finish().code(), 128 + signal, "{mode} {reads}");
                sleep.wait_gone();
                wait_all_gone(&near);
                drop(stdin);
            });
        }
    });
}

#[test]
fn a_node_over_its_time_is_ended_as_root_too() {
    if accounts::world().is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for (number, (mode, reads)) in (920..).zip(ways()) {
            scope.spawn(move || {
                let (account, sleep) = (sudoer(mode), Sleep::new(number));
                // What a polite signal, passed on by sudo, does not end.
                let command = format!("trap '' TERM; echo begun; {}; true", sleep.command());
                // On a busy machine little time may be over before anything begins.
                let begun = ["1", "3", "9", "30"].into_iter().any(|limit| {
                    let words = ["-u", limit, "--kill-after", "1", "-h", "a[1-2]", &command];
                    let stdin = if reads { Stdio::piped() } else { Stdio::null() };
                    let mut running = support::start(account.sudo(words).stdin(stdin));
                    let stdin = reads.then(|| running.stdin());
                    let done = running.finish();
                    drop(stdin);
                    assert_eq!(done.code(), 124, "{}", done.err());
                    sleep.wait_gone();
                    done.sorted() == ["a1: begun", "a2: begun"]
                });
                assert!(begun, "{mode} {reads}");
            });
        }
    });
}

#[test]
fn a_session_of_sshd_that_is_killed_is_a_lost_connection_and_leaves_nothing() {
    let Some(world) = accounts::world() else {
        return;
    };
    std::thread::scope(|scope| {
        for (number, (mode, reads)) in [(930, ("use_pty", true)), (931, ("!use_pty", false))] {
            scope.spawn(move || {
                let account = sudoer(mode);
                let sleep = Sleep::new(number);
                let more = ["--keep-going"];
                let (running, stdin) =
                    started(over_ssh(world, &account, &sleep, &more), &sleep, reads);
                for node in ["n1", "n2"] {
                    support::kill(session_above(sleep.on(node).pid).pid, 9);
                }
                let done = running.finish();
                assert_eq!(done.code(), 255, "{}", done.err());
                let lost = "clsh: n[1-2] (2): connection lost\n";
                assert!(done.err().ends_with(lost), "{mode} {reads}: {}", done.err());
                sleep.wait_gone();
                drop(stdin);
            });
        }
    });
}

#[test]
fn the_same_holds_for_another_user_and_another_transport() {
    if accounts::world().is_none() {
        return;
    }
    std::thread::scope(|scope| {
        for (number, ((mode, reads), signal)) in (940..).zip(ways().zip([15, 9, 9, 15])) {
            scope.spawn(move || {
                let (account, sleep) = (sudoer(mode), Sleep::new(number));
                let words = ["--sudo-user", "nobody", "-h", "a[1-2]", &sleep.command()];
                let (running, stdin) = started(account.sudo(words), &sleep, reads);
                running.signal(signal);
                assert_eq!(running.finish().code(), 128 + signal, "{mode} {reads}");
                sleep.wait_gone();
                drop(stdin);
            });
        }
    });
}

#[test]
fn a_run_that_ends_while_sudo_asks_leaves_nobody_who_waits_for_an_answer() {
    if accounts::world().is_none() {
        return;
    }
    // sudo takes its time to say no: there it is ended.
    let account = sudoer("use_pty");
    for signal in [15, 9] {
        let running = support::start(&mut account.sudo_with("wrong", ["-h", "a[1-2]", "true"]));
        let mut asking = Vec::new();
        support::wait_until("two sudo", || {
            asking = below(running.pid());
            asking.retain(|process| process.words.first().is_some_and(|word| word == "sudo"));
            asking.len() == 2 || !support::is_alive(running.pid())
        });
        assert_eq!(asking.len(), 2, "{}", running.stderr.text());
        running.signal(signal);
        assert_eq!(running.finish().code(), 128 + signal);
        wait_all_gone(&asking);
    }
}

#[test]
fn on_a_connection_that_others_share_nothing_goes_on_as_another_user() {
    let Some(world) = accounts::world() else {
        return;
    };
    std::thread::scope(|scope| {
        for (number, user, signal) in [(950, "root", 15), (951, "nobody", 15), (952, "nobody", 9)] {
            scope.spawn(move || {
                let (account, sleep) = (Account::sudoer(), Sleep::new(number));
                let blocks = format!(
                    "Host n*\n  ControlMaster auto\n  ControlPersist 60\n  ControlPath {}-%n\n",
                    account.path("shared").display()
                );
                let config = world.config(&account, &blocks);
                let words = ["--sudo-user", user, "-h", "n[1-2]", &sleep.command()];
                let mut call = account.given(world, words);
                call.env("CLSH_SSH_CONFIG", &config);
                let (running, stdin) = started(call, &sleep, true);
                running.signal(signal);
                assert_eq!(running.finish().code(), 128 + signal);
                sleep.wait_gone();
                drop(stdin);
                for node in ["n1", "n2"] {
                    let mut over = Command::new("ssh");
                    over.arg("-F").arg(&config).args(["-O", "exit", node]);
                    assert!(
                        support::run(&mut over).status.success(),
                        "one shared connection"
                    );
                }
            });
        }
    });
}
