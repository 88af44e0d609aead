//! Goal: Ctrl-C ends what runs on the nodes and nothing else. Method: SIGINT to a session with a prompt, in the middle of commands of
//! all kinds and at moments around their ends; after each one the state is asked for and the process table looked at.

use crate::nodes::{Sleep, nodes};
use crate::support;
use crate::talk::{Talk, from_each, summed_up};

/// Shells in which an interrupt ends the whole command line.
const SHELLS: [&str; 3] = ["dash", "bash", "busybox sh"];

/// Interrupts `line` on four nodes as soon as `begun` says that it runs everywhere.
fn interrupted(talk: &mut Talk, line: &str, begun: impl FnOnce(&Talk)) {
    talk.say(line);
    begun(talk);
    talk.interrupt();
    let answer = talk.answer_to(line);
    assert!(!answer.text.contains(": NOT"), "{line}: {}", answer.text);
    assert_eq!(answer.notes, summed_up(4, 130), "{line}");
    talk.expect("echo \"$state $(pwd)\"", 4, "kept /usr");
}

fn every_line_is_interrupted(shell: &str, number: u32) {
    let sleep = Sleep::new(number);
    let nap = sleep.command();
    let mut talk = Talk::on("node[1-4]", &["--shell", shell]);
    let shells = talk.mark();
    talk.ask("state=kept; cd /usr");
    talk.ask(&format!("f() {{ {nap}; echo NOT; }}"));
    let lines = [
        format!("{nap}; echo NOT"),
        format!("{nap} && echo NOT || echo NOT"),
        format!("if {nap}; then echo NOT; else echo NOT; fi; echo NOT"),
        format!("for i in 1 2 3; do {nap}; echo NOT; done; echo NOT"),
        format!("while :; do while :; do {nap}; done; echo NOT; done; echo NOT"),
        "f; echo NOT".into(),
        "f || f; x=$(f); echo NOT".into(),
        format!("{nap} | cat; echo NOT"),
        format!("echo x | {{ {nap}; echo NOT; }}; echo NOT"),
        format!("({nap}; echo NOT); echo NOT"),
        format!("x=$({nap}); echo NOT"),
        format!("sh -c '{nap}; echo NOT'; echo NOT"),
        format!("eval '{nap}; echo NOT'; echo NOT"),
    ];
    for line in &lines {
        interrupted(&mut talk, line, |_| sleep.wait_for(4));
        sleep.wait_gone();
    }
    for line in [
        "echo begun; while :; do :; done; echo NOT",
        "echo begun; g() { while :; do :; done; }; g; echo NOT",
        "echo begun; until false; do true; done; echo NOT",
    ] {
        interrupted(&mut talk, line, |talk| {
            for k in 1..=4 {
                talk.wait_for(&format!("node{k}: begun\n"));
            }
        });
    }
    assert_eq!(talk.mark(), shells, "the shells are the same");
    let traces = talk.traces();
    talk.quit(0);
    traces.wait_gone();
}

#[test]
fn dash_leaves_the_whole_line_on_an_interrupt_and_keeps_its_state() {
    every_line_is_interrupted("dash", 721);
}

#[test]
fn bash_leaves_the_whole_line_on_an_interrupt_and_keeps_its_state() {
    every_line_is_interrupted("bash", 722);
}

#[test]
fn busybox_leaves_the_whole_line_on_an_interrupt_and_keeps_its_state() {
    every_line_is_interrupted("busybox sh", 723);
}

#[test]
fn zsh_and_ksh_lose_the_program_that_runs_and_their_sessions_go_on() {
    let sleep = Sleep::new(724);
    for shell in ["zsh", "ksh", "mksh"] {
        let mut talk = Talk::on("node[1-2]", &["--shell", shell]);
        talk.ask("state=kept");
        // ksh has a sleep of its own.
        let line = format!("env {}", sleep.command());
        talk.say(&line);
        sleep.wait_for(2);
        talk.interrupt();
        assert_eq!(talk.answer_to(&line).notes, summed_up(2, 130), "{shell}");
        sleep.wait_gone();
        talk.expect("echo $state", 2, "kept");
        talk.quit(0);
    }
}

#[test]
fn only_nodes_that_still_run_are_interrupted() {
    let sleep = Sleep::new(725);
    let mut talk = Talk::on("node[1-4]", &[]);
    let line = format!(
        "if [ $CLSH_RANK = 1 ]; then {}; else echo done; (exit 5); fi",
        sleep.command()
    );
    talk.say(&line);
    sleep.wait_for(1);
    for k in [1, 3, 4] {
        talk.wait_for(&format!("node{k}: done\n"));
    }
    // So that the reports are in as well.
    talk.interrupt();
    let answer = talk.answer_to(&line);
    assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: done")));
    let one = "clsh: node2: exited with exit code 130\n";
    assert!(answer.notes.ends_with(one), "{}", answer.notes);
    sleep.wait_gone();
    talk.expect("echo all", 4, "all");
    talk.quit(0);
}

#[test]
fn background_jobs_survive_an_interrupt_and_end_with_the_session() {
    let (job, sleep) = (Sleep::new(726), Sleep::new(727));
    let mut all = Vec::new();
    for shell in SHELLS {
        let mut talk = Talk::on("node[1-4]", &["--shell", shell]);
        talk.mark();
        talk.ask(&format!("{} & (exit 0)", job.command()));
        job.wait_for(4);
        talk.say(&sleep.command());
        sleep.wait_for(4);
        talk.interrupt();
        let answer = talk.answer_to(&sleep.command());
        assert_eq!(answer.notes, summed_up(4, 130), "{shell}");
        sleep.wait_gone();
        talk.expect("kill -0 $! && echo lives", 4, "lives");
        assert_eq!(job.running().len(), 4, "{shell}");
        let traces = talk.traces();
        talk.quit(0);
        job.wait_gone();
        all.push(traces);
    }
    for traces in &all {
        traces.wait_gone();
    }
}

#[test]
fn a_second_interrupt_ends_the_session_when_the_command_ignores_the_first() {
    let sleep = Sleep::new(728);
    let mut all = Vec::new();
    for shell in SHELLS {
        let mut talk = Talk::on("node[1-4]", &["--shell", shell]);
        talk.mark();
        let line = format!("sh -c 'trap \"\" INT; {}'; echo NOT", sleep.command());
        talk.say(&line);
        sleep.wait_for(4);
        let traces = talk.traces();
        // On a busy machine the two may come more than a second apart.
        while support::is_alive(talk.clsh.pid()) {
            talk.interrupt();
        }
        let done = talk.finish();
        assert_eq!(done.code(), 130, "{shell}: {}", done.out());
        assert!(!done.out().contains(": NOT"), "{}", done.out());
        assert!(!done.out().contains("ERROR"), "{}", done.out());
        sleep.wait_gone();
        all.push(traces);
    }
    for traces in &all {
        traces.wait_gone();
    }
}

#[test]
fn an_interrupt_at_the_prompt_changes_nothing() {
    let mut talk = Talk::on("node[1-4]", &[]);
    let shells = talk.mark();
    for _ in 0..5 {
        talk.interrupt();
        barrier(&talk, 0);
        talk.expect("echo on", 4, "on");
    }
    assert_eq!(talk.mark(), shells);
    talk.quit(0);
}

#[test]
fn an_interrupt_reaches_a_command_that_runs_here_alone() {
    let (near, far) = (Sleep::new(729), Sleep::new(730));
    let mut talk = Talk::on("node[1-2]", &[]);
    talk.ask(&format!("{} & (exit 0)", far.command()));
    let line = format!("!{}; echo NOT", near.command());
    talk.say(&line);
    near.wait_for(1);
    talk.interrupt();
    let answer = talk.answer_to(&line);
    assert_eq!(answer.lines, Vec::<String>::new(), "{}", answer.text);
    assert_eq!(
        answer.notes, "clsh: LOCAL: exited with exit code 130\n",
        "{}",
        answer.text
    );
    near.wait_gone();
    assert_eq!(far.running().len(), 2);
    talk.expect("echo on", 2, "on");
    talk.quit(0);
}

/// Waits until clsh has acted on every signal before: it answers SIGUSR1 with a line. `before` such lines have come already.
fn barrier(talk: &Talk, before: usize) {
    let lines = |talk: &Talk| talk.heard().matches(" waiting").count();
    let before = before.max(lines(talk));
    talk.clsh.signal(10);
    talk.wait("a line of status", |talk| lines(talk) > before);
}

/// Interrupts at moments around the begin and the end of short commands, and asks each time whether all is well.
fn races(shell: &str, rounds: u32) {
    let lines = [
        "true",
        "echo out; echo err >&2",
        "sleep 0.005",
        "i=0; while [ $i -lt 300 ]; do i=$((i+1)); done",
        "echo a | cat; echo b",
        "f() { sleep 0.002; sleep 0.002; }; f; f",
        "x=$(echo sub); (exit 3)",
        "sh -c 'sleep 0.003'; echo end",
    ];
    let mut talk = Talk::on("node[1-2]", &["--shell", shell]);
    let shells = talk.mark();
    talk.ask("state=kept");
    let mut random = 20_261_125_u32 ^ std::process::id();
    for round in 0..rounds {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let line = lines[(random >> 8) as usize % lines.len()];
        talk.say(line);
        let pause = std::time::Duration::from_micros(u64::from(random >> 16) % 15_000);
        std::thread::sleep(pause);
        talk.interrupt();
        barrier(&talk, 0);
        let question = format!("echo \"$state {round}\"");
        let answer = talk.ask(&question);
        let expected = format!("kept {round}");
        assert_eq!(
            (answer.lines, answer.notes),
            (from_each(2, &[&expected]), String::new()),
            "{shell}: after {line:?} interrupted {pause:?} after it was typed: {}",
            talk.heard()
        );
    }
    assert_eq!(talk.mark(), shells, "the shells are the same");
    let traces = talk.traces();
    talk.quit(0);
    traces.wait_gone();
}

#[test]
fn interrupts_around_the_ends_of_commands_never_hang_or_end_a_dash() {
    races("dash", 200);
}

#[test]
fn interrupts_around_the_ends_of_commands_never_hang_or_end_a_bash() {
    races("bash", 200);
}

#[test]
fn interrupts_around_the_ends_of_commands_never_hang_or_end_a_busybox() {
    races("busybox sh", 200);
}

#[test]
fn without_a_prompt_an_interrupt_ends_the_session() {
    let sleep = Sleep::new(731);
    let mut call = nodes().clsh(["-h", "node[1-4]"]);
    let mut clsh = support::start(call.stdin(std::process::Stdio::piped()));
    let mut input = clsh.stdin();
    let text = format!("{}\necho NOT\n", sleep.command());
    std::io::Write::write_all(&mut input, text.as_bytes()).expect("write");
    sleep.wait_for(4);
    let started = crate::nodes::below(clsh.pid());
    clsh.signal(2);
    let done = clsh.finish();
    assert_eq!((done.code(), done.out()), (130, String::new()));
    crate::nodes::wait_all_gone(&started);
    sleep.wait_gone();
}
