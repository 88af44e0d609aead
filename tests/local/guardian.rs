//! SIGKILL to clsh leaves nothing running here: the kernel kills its children, and the guardian what is left.

use crate::kit::{HUP, INT, KILL, QUIT, Stray, TERM, TSTP, count, exec, field, nap, session};
use crate::support::{
    self, Running, behind, children, guardian, kill, process, run, scratch, start, wait_until,
};
use std::fs;
use std::process::Command;

/// Starts a call, and waits until so many sleep.
fn start_napping(command: &mut Command, nap: &str, sleeps: usize) -> Running {
    let running = start(command);
    wait_until("all sleep", || count(&["sleep", nap]) == sleeps);
    running
}

fn guardian_of(running: &Running) -> i32 {
    guardian(running.pid()).expect("a guardian").pid
}

fn wait_gone(pid: i32) {
    wait_until("the guardian's end", || !support::is_alive(pid));
}

/// Each node has a child, a grandchild whose parent is gone, and one in a group of its own.
fn family(nap: &str) -> String {
    format!("sleep {nap} & (sleep {nap} &); bash -c 'set -m; sleep {nap} & wait' & wait")
}

#[test]
fn what_children_started_ends_with_a_clsh_that_is_killed() {
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let running = start_napping(&mut exec("n[1-4]", ["sh", "-c", &family(&nap)]), &nap, 12);
    let guardian = guardian_of(&running);
    running.signal(KILL);
    // Whoever held its output open is gone, too.
    assert_eq!(running.finish().code(), 128 + KILL);
    wait_until("no sleep", || count(&["sleep", &nap]) == 0);
    wait_gone(guardian);
}

#[test]
fn so_does_a_program_with_other_privileges() {
    if !nix::unistd::getuid().is_root() {
        return support::not_run("a program of another user's needs root to be made");
    }
    let directory = scratch();
    support::run(Command::new("chmod").arg("755").arg(directory.path()));
    let program = directory.path().join("sleep");
    for words in [
        vec!["install", "-m", "4755", "-o", "nobody", "/bin/sleep"],
        vec!["install", "-m", "2755", "-g", "nogroup", "/bin/sleep"],
    ] {
        let nap = nap();
        assert_eq!(
            run(Command::new(words[0]).args(&words[1..]).arg(&program)).code(),
            0
        );
        let path = program.to_str().expect("text");
        let _stray = Stray::new(&[path, &nap]);
        let running = start(&mut exec("n[1-2]", [path, &nap]));
        wait_until("both sleep", || count(&[path, &nap]) == 2);
        running.signal(KILL);
        running.finish();
        wait_until("no sleep", || count(&[path, &nap]) == 0);
    }
    let nap = nap();
    let _stray = Stray::new(&["sleep", &nap]);
    let script = format!("sleep {nap} & wait");
    let call = ["sudo", "-n", "sh", "-c", &script];
    let running = start_napping(&mut exec("n[1-2]", call), &nap, 2);
    running.signal(KILL);
    running.finish();
    wait_until("no sleep", || count(&["sleep", &nap]) == 0);
}

#[test]
fn daemons_and_what_done_nodes_left_in_the_background_stay() {
    let (daemon, nap) = (nap(), nap());
    let stray = Stray::new(&["sleep", &daemon]);
    let script = format!(
        "case %n in 0) sleep {daemon} >/dev/null 2>&1 & exit;; esac; setsid sleep {daemon} >/dev/null 2>&1 & exec sleep {nap}"
    );
    let mut call = exec("n[1-2]", ["-v", "sh", "-c", &script]);
    let running = start_napping(&mut call, &nap, 1);
    running.stderr.wait_for("clsh: n1: exited with exit code 0");
    wait_until("both daemons", || {
        let daemons = support::running(&["sleep", &daemon]);
        daemons.len() == 2 && daemons.iter().any(|one| session(one.pid) == Some(one.pid))
    });
    let guardian = guardian_of(&running);
    running.signal(KILL);
    running.finish();
    wait_gone(guardian);
    assert_eq!((stray.count(), count(&["sleep", &nap])), (2, 0));
}

#[test]
fn without_the_guardian_the_kernel_still_kills_the_children() {
    for together in [false, true] {
        let nap = nap();
        let _stray = Stray::new(&["sleep", &nap]);
        let running = start_napping(&mut exec("n[1-4]", ["sleep", &nap]), &nap, 4);
        let guardian = guardian_of(&running);
        if together {
            let both = format!("kill -9 {guardian} {}", running.pid());
            run(Command::new("sh").args(["-c", &both]));
        } else {
            kill(guardian, KILL);
            wait_gone(guardian);
            // The run does not notice.
            running.signal(crate::kit::USR1);
            running.stderr.wait_for("0 done, 4 running");
            running.signal(KILL);
        }
        assert_eq!(running.finish().code(), 128 + KILL);
        wait_until("no sleep", || count(&["sleep", &nap]) == 0);
    }
}

#[test]
fn a_run_whose_guardian_was_killed_ends_as_ever() {
    let nap = nap();
    let script = format!("[ %n = 0 ] && exit 7; while [ -e \"$0\" ]; do sleep 0.05; done; : {nap}");
    let directory = scratch();
    let gate = directory.path().join("gate");
    fs::write(&gate, "").expect("write");
    let gate_text = gate.to_str().expect("text").to_owned();
    let running = start(&mut exec("n[1-4]", ["sh", "-c", &script, &gate_text]));
    wait_until("three are left", || children(running.pid()).len() == 3);
    kill(guardian_of(&running), KILL);
    fs::remove_file(&gate).expect("remove");
    let done = running.finish();
    assert_eq!(done.code(), 7);
    assert_eq!(done.err(), "clsh: n1: exited with exit code 7\n");
}

#[test]
fn it_ends_with_clsh_and_holds_nothing() {
    let nap = nap();
    let running = start_napping(&mut exec("n[1-2]", ["sleep", &nap]), &nap, 2);
    let pid = guardian_of(&running);
    let descriptors: Vec<_> = fs::read_dir(format!("/proc/{pid}/fd"))
        .expect("its descriptors")
        .map(|entry| fs::read_link(entry.expect("an entry").path()).expect("a link"))
        .collect();
    assert_eq!(descriptors.len(), 1, "{descriptors:?}");
    assert!(descriptors[0].to_string_lossy().starts_with("pipe:"));
    let place = fs::read_link(format!("/proc/{pid}/cwd")).expect("a link");
    assert_eq!(place.to_str(), Some("/"));
    assert_eq!(session(pid), Some(pid));
    // What is meant for clsh, or for its terminal.
    for signal in [INT, TERM, HUP, QUIT, TSTP, 10, 13, 17] {
        kill(pid, signal);
    }
    let state = process(pid).expect("it lives").state;
    assert_eq!(state, 'S');
    assert!(field(&format!("/proc/{pid}/status"), "SigBlk:").is_some());
    // Nor does it keep clsh from its end when somebody stopped it.
    kill(pid, crate::kit::STOP);
    running.signal(TERM);
    assert_eq!(running.finish().code(), 128 + TERM);
    assert!(process(pid).is_none(), "not even a zombie");
}

#[test]
fn where_there_is_room_for_one_process_only_it_is_the_nodes() {
    // A limit that clsh itself meets: the guardian it makes is one too many.
    let directory = scratch();
    crate::edge::open_to_all(directory.path());
    let binary = directory.path().join("clsh");
    let call = exec("n[1-3]", ["-v", "echo", "up"]);
    let installed = run(Command::new("install")
        .args(["-m", "755"])
        .arg(call.get_program())
        .arg(&binary));
    assert_eq!(installed.code(), 0);
    for most in [1, 2] {
        let Some(words) = crate::edge::with_processes(most + 1) else {
            return;
        };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let mut inner = Command::new(&binary);
        inner.args(call.get_args()).env("HOME", directory.path());
        let done = run(behind(&words, &inner).current_dir(directory.path()));
        assert_eq!(done.code(), 0, "{}", done.err());
        assert_eq!(done.sorted(), ["n1: up", "n2: up", "n3: up"]);
        let said = done.err().contains("clsh: no process for clean-up: ");
        assert_eq!(said, most == 1, "{}", done.err());
    }
}
