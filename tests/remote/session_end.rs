//! Goal: however a session ends, nothing of it stays on either side. Method: each way out, at the prompt and in the middle of a command,
//! with background jobs and with commands that ignore every polite signal; what sshd started for the session is known by its process
//! session, and nothing may be left in it.

use crate::nodes::Sleep;
use crate::support;
use crate::talk::{Talk, Traces, in_sessions};

/// A session on four nodes with a background job on each.
fn begun(options: &[&str], job: &Sleep) -> (Talk, Traces) {
    let mut talk = Talk::on("node[1-4]", options);
    talk.mark();
    talk.ask(&format!("{} & (exit 0)", job.command()));
    job.wait_for(4);
    let traces = talk.traces();
    assert_eq!(traces.near.len(), 4, "{:?}", traces.near);
    assert_eq!(traces.far.len(), 4);
    assert!(in_sessions(&traces.far).len() > 8);
    (talk, traces)
}

/// Children that are there right after the end of clsh, which waits for all of them.
fn outlived(traces: &Traces) -> usize {
    let left = |old: &&support::Process| {
        support::process(old.pid).is_some_and(|now| now.words == old.words)
    };
    traces.near.iter().filter(left).count()
}

/// What is left then must go away.
fn at_the_prompt(signal: i32, job: &Sleep) -> Traces {
    let (talk, traces) = begun(&[], job);
    talk.clsh.signal(signal);
    let done = talk.finish();
    assert_eq!(done.code(), 128 + signal, "{}", done.out());
    assert!(done.status.code().is_none(), "ended by the signal itself");
    assert!(!done.out().contains("ERROR"), "{}", done.out());
    if signal != 9 {
        assert_eq!(outlived(&traces), 0, "children outlive clsh");
    }
    traces
}

/// The same.
fn in_the_middle(signal: i32, job: &Sleep, sleep: &Sleep) -> Traces {
    let (mut talk, traces) = begun(&[], job);
    talk.say(&format!("echo begun; {}; echo NOT", sleep.command()));
    sleep.wait_for(4);
    for k in 1..=4 {
        talk.wait_for(&format!("node{k}: begun\n"));
    }
    talk.clsh.signal(signal);
    let done = talk.finish();
    assert_eq!(done.code(), 128 + signal, "{}", done.out());
    assert!(!done.out().contains(": NOT"), "{}", done.out());
    assert!(!done.out().contains("ERROR"), "{}", done.out());
    if signal != 9 {
        assert_eq!(outlived(&traces), 0, "children outlive clsh");
    }
    traces
}

fn nothing_is_left_after(signal: i32, number: u32) {
    let sleeps = [0, 1, 2].map(|more| Sleep::new(number + more));
    let [one, other, sleep] = &sleeps;
    let traces = [
        at_the_prompt(signal, one),
        in_the_middle(signal, other, sleep),
    ];
    for traces in &traces {
        traces.wait_gone();
    }
    for sleep in &sleeps {
        sleep.wait_gone();
    }
}

#[test]
fn after_sigterm_nothing_of_a_session_runs_here_or_there() {
    nothing_is_left_after(15, 771);
}

#[test]
fn after_sighup_nothing_of_a_session_runs_here_or_there() {
    nothing_is_left_after(1, 774);
}

#[test]
fn after_sigquit_nothing_of_a_session_runs_here_or_there() {
    nothing_is_left_after(3, 777);
}

#[test]
fn after_sigkill_nothing_of_a_session_runs_here_or_there() {
    nothing_is_left_after(9, 780);
}

#[test]
fn quit_and_the_end_of_the_input_end_background_jobs_in_every_shell() {
    let job = Sleep::new(749);
    let ways = [
        ("dash", "quit"),
        ("bash", "exit 3"),
        ("busybox sh", ""),
        ("zsh", "exit"),
        ("ksh", ""),
        ("mksh", "quit"),
    ];
    let mut all = Vec::new();
    for (shell, last) in ways {
        let mut talk = Talk::on("node[1-2]", &["--shell", shell]);
        talk.mark();
        talk.ask(&format!("env {} & (exit 0)", job.command()));
        job.wait_for(2);
        let traces = talk.traces();
        if !last.is_empty() {
            talk.say(last);
        }
        talk.close();
        let done = talk.finish();
        let status = if last == "exit 3" { 3 } else { 0 };
        assert_eq!(done.code(), status, "{shell}: {}", done.out());
        assert_eq!(outlived(&traces), 0, "{shell}: children outlive clsh");
        job.wait_gone();
        all.push(traces);
    }
    for traces in &all {
        traces.wait_gone();
    }
}

#[test]
fn the_end_of_the_input_waits_for_the_command_that_runs() {
    let directory = support::scratch();
    let go = directory.path().join("go");
    let mut talk = Talk::on("node[1-2]", &[]);
    talk.mark();
    let traces = talk.traces();
    let go_there = go.display();
    talk.say(&format!(
        "echo begun; until [ -e {go_there} ]; do sleep 0.05; done; echo whole; (exit 6)"
    ));
    talk.close();
    for k in 1..=2 {
        talk.wait_for(&format!("node{k}: begun\n"));
    }
    std::fs::write(&go, "").expect("write");
    let done = talk.finish();
    for k in 1..=2 {
        let line = format!("node{k}: whole\n");
        assert!(done.out().contains(&line), "{}", done.out());
    }
    assert_eq!(done.code(), 6);
    traces.wait_gone();
}

#[test]
fn what_ignores_every_polite_signal_is_killed_there() {
    let (job, sleep) = (Sleep::new(750), Sleep::new(751));
    for signal in [15, 9] {
        let mut talk = Talk::on("node[1-2]", &[]);
        talk.mark();
        talk.ask(&format!(
            "(trap '' HUP INT TERM; while :; do {}; done) & (exit 0)",
            job.command()
        ));
        job.wait_for(2);
        let line = format!(
            "trap '' HUP INT TERM; while :; do {}; done",
            sleep.command()
        );
        talk.say(&line);
        sleep.wait_for(2);
        let traces = talk.traces();
        talk.clsh.signal(signal);
        let done = talk.finish();
        assert_eq!(done.code(), 128 + signal, "{}", done.out());
        // With its shell alive, each loop would start the next sleep.
        traces.wait_gone();
        sleep.wait_gone();
        job.wait_gone();
    }
}

#[test]
fn what_has_a_session_of_its_own_outlives_clsh() {
    let (daemon, job) = (Sleep::new(752), Sleep::new(753));
    let mut talk = Talk::on("node[1-2]", &[]);
    talk.mark();
    talk.ask(&format!(
        "setsid {} >/dev/null 2>&1 & {} & (exit 0)",
        daemon.command(),
        job.command()
    ));
    daemon.wait_for(2);
    job.wait_for(2);
    let traces = talk.traces();
    talk.quit(0);
    traces.wait_gone();
    job.wait_gone();
    assert_eq!(daemon.running().len(), 2);
}

#[test]
fn a_session_that_is_ended_while_it_connects_leaves_nothing() {
    // Somewhere between the first ssh and the first prompt.
    for (round, signal) in [15, 2, 9, 1].into_iter().enumerate() {
        let talk = Talk::begin(&crate::nodes::nodes().clsh(["-i", "-h", "node[1-4]"]));
        support::wait_until("the first ssh", || {
            !support::children(talk.clsh.pid()).is_empty()
        });
        std::thread::sleep(std::time::Duration::from_millis(70 * round as u64));
        let near = crate::nodes::below(talk.clsh.pid());
        talk.clsh.signal(signal);
        let done = talk.finish();
        assert_eq!(done.code(), 128 + signal, "{}", done.out());
        assert!(!done.out().contains("ERROR"), "{}", done.out());
        crate::nodes::wait_all_gone(&near);
    }
}
