//! What leaves the command's process group is ended with it, and what leaves its session stays. Whenever a run ends, at random moments of its
//! start too, no process of it is left on the nodes: those of a test are told by a mark in their environment.

use crate::nodes::{Config, Sleep, is_root, left_out, marked, nodes};
use crate::support::{self, Running};
use crate::talk::Talk;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

/// A command whose sleep runs in a process group of its own.
fn in_its_own_group(sleep: &Sleep) -> [String; 3] {
    let sleep = sleep.command();
    [
        // GNU's timeout makes one.
        format!("timeout 1001 {sleep}"),
        // A shell with job control makes one for each command.
        format!("bash -c 'set -m; {sleep} & wait'"),
        format!("setpriv --no-new-privs bash -c 'set -m; ({sleep}; :) | cat'"),
    ]
}

/// A run with its stdin forwarded, or not.
fn start(call: &mut Command, reads: bool) -> (Running, Option<std::process::ChildStdin>) {
    let stdin = if reads { Stdio::piped() } else { Stdio::null() };
    let mut running = support::start(call.stdin(stdin));
    let input = reads.then(|| running.stdin());
    (running, input)
}

#[test]
fn every_ending_reaches_what_made_a_group_of_its_own() {
    let endings: [Option<i32>; 5] = [Some(15), Some(2), Some(3), Some(9), None];
    std::thread::scope(|scope| {
        for reads in [false, true] {
            scope.spawn(move || {
                for (number, ending) in (0..).zip(endings) {
                    let sleep = Sleep::new(9100 + number + 10 * u32::from(reads));
                    for command in in_its_own_group(&sleep) {
                        let mut words = vec!["-h", "node1"];
                        // Without a signal it is the time limit that ends it.
                        if ending.is_none() {
                            words.extend(["-u", "2"]);
                        }
                        words.push(&command);
                        let (running, input) = start(&mut nodes().clsh(words), reads);
                        let begun =
                            || !sleep.running().is_empty() || !support::is_alive(running.pid());
                        support::wait_until("the sleep", begun);
                        if let Some(signal) = ending {
                            running.signal(signal);
                        }
                        let code = running.finish().code();
                        assert_eq!(code, ending.map_or(124, |signal| 128 + signal), "{command}");
                        sleep.wait_gone();
                        drop(input);
                    }
                }
            });
        }
    });
}

#[test]
fn a_closed_stdout_reaches_what_made_a_group_of_its_own() {
    for (number, reads) in [(9130, false), (9131, true)] {
        let sleep = Sleep::new(number);
        let command = format!(
            "timeout 1001 {} & while echo x; do sleep 0.1; done",
            sleep.command()
        );
        let mut call = support::behind(
            &["sh", "-c", "\"$@\" | head -1", "sh"],
            &nodes().clsh(["-h", "node1", &command]),
        );
        let (running, input) = start(&mut call, reads);
        assert_eq!(running.finish().out(), "node1: x\n");
        sleep.wait_gone();
        drop(input);
    }
}

#[test]
fn what_leaves_the_session_is_a_daemon_and_stays() {
    let (daemon, command) = (Sleep::new(9140), Sleep::new(9141));
    let text = format!(
        "setsid {} >/dev/null 2>&1 </dev/null & {}",
        daemon.command(),
        command.command()
    );
    let clsh = support::start(&mut nodes().clsh(["-h", "node1", &text]));
    command.wait_for(1);
    daemon.wait_for(1);
    clsh.signal(15);
    assert_eq!(clsh.finish().code(), 143);
    command.wait_gone();
    assert_eq!(daemon.running().len(), 1);
}

#[test]
fn an_interrupt_reaches_what_made_a_group_of_its_own_and_the_prompt_comes_back() {
    let mut talk = Talk::on("node1", &[]);
    let sleep = Sleep::new(9150);
    for command in in_its_own_group(&sleep) {
        talk.say(&command);
        sleep.wait_for(1);
        talk.interrupt();
        talk.answer_to(&command);
        sleep.wait_gone();
    }
    assert_eq!(talk.ask("echo on").lines, ["node1: on"]);
    talk.quit(0);
}

/// A small generator: the same delays in each run of a test that failed would not help on a machine with other work.
fn random(state: &mut u64, below: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1);
    (*state >> 33) % below
}

#[test]
fn a_run_that_is_ended_at_any_moment_leaves_nothing_on_its_nodes() {
    // A cheap key exchange: here the moments count, not the handshakes.
    let config = Config::new(
        nodes(),
        "Host *\n  SendEnv LC_CLSH_MARK\n  KexAlgorithms curve25519-sha256",
    );
    std::thread::scope(|scope| {
        for (lane, (signal, reads)) in [(15, true), (9, true), (15, false), (9, false)]
            .into_iter()
            .enumerate()
        {
            let config = &config;
            scope.spawn(move || {
                let mark = format!("{}-{lane}", std::process::id());
                let mut state = u64::from(std::process::id()) + lane as u64;
                for _ in 0..50 {
                    let list = format!("node[{}-{}]", lane * 2 + 1, lane * 2 + 2);
                    let mut call = config.clsh(&["-h", &list, "sleep 3"]);
                    call.env("LC_CLSH_MARK", &mark);
                    let (running, input) = start(&mut call, reads);
                    std::thread::sleep(Duration::from_millis(random(&mut state, 600)));
                    running.signal(signal);
                    assert_eq!(running.finish().code(), 128 + signal);
                    drop(input);
                }
                support::wait_until("the end of all that was started", || {
                    marked(&mark).is_empty()
                });
            });
        }
    });
}

/// A transport like `docker exec`: what runs on its far side is no child of it, and only standard input and output connect them.
fn detached_transport(directory: &std::path::Path) -> String {
    let path = support::script(
        directory,
        "elsewhere",
        "#!/bin/sh\n\
         exec 3<&0\n\
         way=$(mktemp -d)\n\
         mkfifo \"$way/in\" \"$way/out\"\n\
         setsid --fork sh -c \"$2\" <\"$way/in\" >\"$way/out\" 2>&1 3<&- &\n\
         cat <&3 >\"$way/in\" &\n\
         exec 3<&-\n\
         cat \"$way/out\"\n\
         rm -r \"$way\"\n",
    );
    format!("{} %h", path.display())
}

/// With its stdin forwarded, nothing else shows the far side that the wrapper is gone.
#[test]
fn a_wrapper_that_is_killed_takes_its_command_along() {
    let directory = support::scratch();
    let way = detached_transport(directory.path());
    let sleep = Sleep::new(9160);
    let words = ["-R", &way, "-h", "n1", &sleep.command()];
    let (running, input) = start(&mut support::clsh_with(words), true);
    sleep.wait_for(1);
    // The command's parent is the wrapper, or a part of it.
    let mut wrapper = support::process(sleep.running()[0].parent).expect("alive");
    while let Some(above) = support::process(wrapper.parent)
        && above.words.iter().any(|word| word == "clsh")
    {
        wrapper = above;
    }
    support::kill(wrapper.pid, 9);
    sleep.wait_gone();
    drop(input);
    assert_eq!(running.finish().code(), 255);
}

/// What a wrapper ends because the link is gone is not what the command made of itself.
#[test]
fn a_transport_that_dies_while_its_wrapper_lives_is_a_lost_connection() {
    let directory = support::scratch();
    let path = support::script(
        directory.path(),
        "dies",
        "#!/bin/sh\nexec 3<&0\nsh -c \"$2\" <&3 3<&- &\nexec 3<&- </dev/null\nwait\n",
    );
    let way = format!("{} %h", path.display());
    for (number, reads) in [(9170, false), (9171, true)] {
        let sleep = Sleep::new(number);
        let words = ["-R", &way, "-h", "n1", &sleep.command()];
        let (running, input) = start(&mut support::clsh_with(words), reads);
        sleep.wait_for(1);
        let transport = support::children(running.pid());
        let transport = transport
            .iter()
            .find(|child| child.words.iter().any(|word| word.ends_with("/dies")))
            .expect("the transport");
        support::kill(transport.pid, 9);
        let done = running.finish();
        assert_eq!(done.code(), 255, "{}", done.err());
        assert!(
            done.err().contains("ERROR: n1 connection lost"),
            "{}",
            done.err()
        );
        sleep.wait_gone();
        drop(input);
    }
}

/// The login takes longer than clsh waits: whoever comes to life then finds nobody, and goes.
#[test]
fn a_login_that_comes_too_late_leaves_no_watcher() {
    let config = Config::new(nodes(), "Host *\n  SendEnv LC_CLSH_MARK");
    let mark = format!("{}-late", std::process::id());
    let directory = support::scratch();
    let slow = support::script(
        directory.path(),
        "slow",
        "#!/bin/sh\nsleep 5\nexec ssh \"$@\"\n",
    );
    let mut call = config.clsh(&["-t", "3", "-h", "node1", "sleep 3"]);
    call.env("LC_CLSH_MARK", &mark).env("PATH", {
        std::fs::rename(&slow, directory.path().join("ssh")).expect("rename");
        let real = crate::farm::find("ssh");
        let text = std::fs::read_to_string(directory.path().join("ssh")).expect("read");
        let text = text.replace("exec ssh", &format!("exec {}", real.display()));
        std::fs::write(directory.path().join("ssh"), text).expect("write");
        let path = std::env::var("PATH").unwrap_or_default();
        format!("{}:{path}", directory.path().display())
    });
    let (mut running, mut input) = start(&mut call, true);
    input
        .as_mut()
        .expect("piped")
        .write_all(b"x\n")
        .expect("write");
    running.wait();
    drop(input);
    support::wait_until("the end of all that was started", || {
        marked(&mark).is_empty()
    });
}

/// A node without /proc, as BSDs are. Its ps is made of a /proc that only ps sees.
#[test]
fn without_proc_the_session_is_known_from_ps() {
    if !is_root() {
        let left_out = left_out("CLSH_TEST_NO_ROOT", "a node without /proc");
        assert!(left_out, "needs root to hide /proc; CLSH_TEST_NO_ROOT=1");
        return;
    }
    let directory = support::scratch();
    let place = directory.path().display().to_string();
    std::fs::create_dir(directory.path().join("proc")).expect("mkdir");
    let ps = "#!/bin/sh\n\
         case $* in\n\
         *-A*) for stat in PLACE/proc/[0-9]*/stat; do { read -r l <\"$stat\"; } 2>/dev/null && set -- \"${l%% *}\" ${l##*\") \"} && echo \"$1 $3 $4 $5\"; done ;;\n\
         *sid=*) for pid; do :; done; read -r l <PLACE/proc/$pid/stat; set -- ${l##*\") \"}; echo \" $4\" ;;\n\
         *) for pid; do :; done; [ -d PLACE/proc/$pid ] ;;\n\
         esac\n";
    support::script(directory.path(), "ps", &ps.replace("PLACE", &place));
    let hide = "#!/bin/sh\nmount --bind /proc PLACE/proc && mount -t tmpfs none /proc\nPATH=PLACE:$PATH exec setsid -w sh -c \"$2\"\n";
    let hide = support::script(directory.path(), "hide", &hide.replace("PLACE", &place));
    let way = format!("unshare -m {} %h", hide.display());
    let sleep = Sleep::new(9180);
    let command = format!("timeout 1001 {}", sleep.command());
    let clsh = support::start(&mut support::clsh_with(["-R", &way, "-h", "n1", &command]));
    sleep.wait_for(1);
    clsh.signal(15);
    assert_eq!(clsh.finish().code(), 143);
    sleep.wait_gone();
}
