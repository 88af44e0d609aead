//! Goal: a connection that goes is noticed, at the prompt too, and told from a shell that ended. Method: ssh here, or sshd's session
//! there, is killed, a node's sshd is down, and a network is cut; `:reconnect` brings back what can come back.

use crate::nodes::{
    Config, Different, Sleep, Sshd, below, block, nodes, session_above, ssh_of, wait_all_gone,
};
use crate::support;
use crate::talk::{Talk, from_each};

const LOST: &str = "ERROR: node2 connection lost\n";

/// Which end of node2's connection is killed.
#[derive(Clone, Copy, Debug)]
enum End {
    Near,
    Far,
}

impl End {
    /// `shells`: the shells of node1, node2 and so on.
    fn kill(self, talk: &Talk, shells: &[i32]) {
        let pid = match self {
            Self::Near => ssh_of(&talk.clsh, "node2").pid,
            Self::Far => session_above(shells[1]).pid,
        };
        support::kill(pid, 9);
    }
}

/// The session ends, and nothing is left on any node.
fn session_ends(end: End, number: u32) {
    let (job, sleep) = (Sleep::new(number), Sleep::new(number + 20));
    let mut all = Vec::new();
    for in_the_middle in [false, true] {
        let mut talk = Talk::on("node[1-4]", &[]);
        let shells = talk.mark();
        talk.ask(&format!("{} & (exit 0)", job.command()));
        job.wait_for(4);
        if in_the_middle {
            talk.say(&format!("{}; echo NOT", sleep.command()));
            sleep.wait_for(4);
        }
        let traces = talk.traces();
        end.kill(&talk, &shells);
        let done = talk.finish();
        let heard = done.out();
        assert_eq!(done.code(), 255, "{heard}");
        assert_eq!(heard.matches(LOST).count(), 1, "{heard}");
        assert_eq!(heard.matches("ERROR").count(), 1, "{heard}");
        assert!(!heard.contains(": NOT"), "{heard}");
        sleep.wait_gone();
        job.wait_gone();
        all.push(traces);
    }
    for traces in &all {
        traces.wait_gone();
    }
}

#[test]
fn a_killed_ssh_ends_the_session_at_the_prompt_and_in_the_middle_of_a_command() {
    session_ends(End::Near, 761);
}

#[test]
fn a_killed_sshd_session_ends_the_session_at_the_prompt_and_in_the_middle_of_a_command() {
    session_ends(End::Far, 762);
}

/// The words of `:nodes` for one node.
fn row(talk: &mut Talk, node: &str) -> Vec<String> {
    let table = talk.ask(":nodes").text;
    let line = table.lines().find(|line| line.starts_with(node));
    let line = line.unwrap_or_else(|| panic!("no {node} in {table}"));
    line.split_whitespace().map(str::to_owned).collect()
}

/// The others go on, and node2 can come back, with a shell that knows nothing.
fn others_go_on(end: End, number: u32) {
    let sleep = Sleep::new(number);
    let mut talk = Talk::on("node[1-4]", &["--keep-going"]);
    let mut shells = talk.mark();
    for in_the_middle in [false, true] {
        talk.ask("state=kept; cd /usr");
        if in_the_middle {
            let line = format!(
                "if [ $CLSH_RANK = 1 ]; then {}; fi; echo on",
                sleep.command()
            );
            talk.say(&line);
            sleep.wait_for(1);
            end.kill(&talk, &shells);
            let mut answer = talk.answer_to(&line);
            // ssh's own words.
            answer.lines.retain(|line| !line.starts_with("node2: "));
            assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: on")));
            assert!(answer.notes.contains(LOST), "{}", answer.notes);
        } else {
            end.kill(&talk, &shells);
            talk.wait_for_note(LOST);
        }
        sleep.wait_gone();
        assert_eq!(row(&mut talk, "node2")[1], "lost");
        assert_eq!(row(&mut talk, "node1")[1], "ready");
        let answer = talk.ask("echo $state");
        assert_eq!(answer.lines, [1, 3, 4].map(|k| format!("node{k}: kept")));
        let answer = talk.ask(":reconnect node2");
        let note = "clsh: node2: connected again, with a new shell: ";
        assert!(answer.notes.starts_with(note), "{}", answer.notes);
        assert_eq!(row(&mut talk, "node2")[1], "ready");
        let answer = talk.ask("echo \"<$state>\"");
        let mut expected = from_each(4, &["<kept>"]);
        expected[1] = "node2: <>".into();
        assert_eq!(answer.lines, expected);
        shells = talk.mark();
    }
    let traces = talk.traces();
    talk.quit(0);
    traces.wait_gone();
}

#[test]
fn with_keep_going_a_killed_ssh_leaves_the_others_alone_and_its_node_can_come_back() {
    others_go_on(End::Near, 763);
}

#[test]
fn with_keep_going_a_killed_sshd_session_leaves_the_others_alone_and_its_node_can_come_back() {
    others_go_on(End::Far, 764);
}

#[test]
fn with_keep_going_a_session_without_a_terminal_ends_with_255_when_every_node_is_lost() {
    let mut talk = Talk::on("node[1-2]", &["--keep-going"]);
    let shells = talk.mark();
    let traces = talk.traces();
    for &shell in &shells {
        support::kill(session_above(shell).pid, 9);
    }
    talk.wait("its end", |talk| {
        let heard = talk.heard();
        ["node1", "node2"]
            .iter()
            .all(|node| heard.contains(&format!("ERROR: {node} connection lost\n")))
            && heard.contains("clsh: the session is over: no node is left\n")
    });
    assert_eq!(talk.finish().code(), 255);
    traces.wait_gone();
}

#[test]
fn a_node_that_is_down_is_named_and_left_out_and_can_come_later() {
    // Known where it will listen, and nobody does yet.
    let first = Sshd::start(nodes(), "late", &Different::default());
    let port = first.port;
    drop(first);
    let config = Config::new(nodes(), &block("late", port));
    let mut talk = Talk::with(&config.clsh(&["-i", "-h", "node1,late,node2"]));
    let heard = talk.heard();
    assert!(heard.contains("ERROR: late connection failed\n"), "{heard}");
    assert!(
        heard.contains("Working with nodes: node1, node2\n"),
        "{heard}"
    );
    talk.expect("echo on", 2, "on");
    assert_eq!(row(&mut talk, "late")[1], "failed");
    let answer = talk.ask(":reconnect late");
    assert!(
        answer.notes.contains("ERROR: late connection failed\n"),
        "{answer:?}"
    );
    assert!(!answer.notes.contains("again"), "{answer:?}");
    let here = Different {
        address: Some(("127.0.0.1", port)),
        ..Different::default()
    };
    let _late = Sshd::start(nodes(), "late", &here);
    let answer = talk.ask(":reconnect");
    let note = "clsh: late: connected again, with a new shell: ";
    assert!(answer.notes.starts_with(note), "{}", answer.notes);
    let mut expected = from_each(2, &["all"]);
    expected.insert(0, "late: all".into());
    assert_eq!(talk.ask("echo all").lines, expected);
    talk.mark();
    let traces = talk.traces();
    assert_eq!(traces.far.len(), 3);
    talk.quit(0);
    traces.wait_gone();
}

#[test]
fn of_nodes_that_are_all_down_there_is_no_session() {
    let done = nodes().run(["-i", "-h", "node[21-23]"]);
    assert_eq!((done.code(), done.out()), (255, String::new()));
    for k in 21..=23 {
        let error = format!("ERROR: node{k} connection failed\n");
        assert_eq!(done.err().matches(&error).count(), 1, "{}", done.err());
    }
    assert!(!done.err().contains("clsh> "), "{}", done.err());
}

#[test]
fn a_network_that_is_cut_at_the_prompt_is_noticed_and_ends_the_session() {
    let what = "session_lost::a_network_that_is_cut_at_the_prompt_is_noticed_and_ends_the_session";
    let Some(network) = crate::cut::network(what) else {
        return;
    };
    let (_far, config) = network.node();
    let sleep = Sleep::new(765);
    let options = ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"];
    let mut talks = [&["--keep-going"][..], &[]].map(|keep_going| {
        let words = [&["-i", "-h", "node1,far,node2"], keep_going, &options].concat();
        let mut talk = Talk::with(&config.clsh(&words));
        talk.mark();
        talk.ask(&format!("{} & (exit 0)", sleep.command()));
        talk
    });
    sleep.wait_for(6);
    let traces = [&talks[0], &talks[1]].map(Talk::traces);
    network.cut();
    talks[0].wait_for_note("ERROR: far connection lost\n");
    talks[0].expect("echo on", 2, "on");
    let [stays, ends] = talks;
    stays.quit(255);
    let done = ends.finish();
    let heard = done.out();
    assert_eq!(done.code(), 255, "{heard}");
    let lost = heard.matches("ERROR: far connection lost\n").count();
    assert_eq!((lost, heard.matches("ERROR").count()), (1, 1), "{heard}");
    // There, sshd notices by itself.
    for traces in &traces {
        traces.wait_gone();
    }
    sleep.wait_gone();
}

#[test]
fn a_transport_without_standard_input_is_told_so() {
    let words = [
        "-i",
        "-R",
        "env HOST=%h sh -c 'exec sh -c \"$1\" </dev/null' sh",
        "-h",
        "n1",
    ];
    let clsh = support::start(&mut support::clsh_with(words));
    let started = below(clsh.pid());
    let done = clsh.finish();
    assert_eq!((done.code(), done.out()), (255, String::new()));
    let words = "forwards no standard input, which clsh needs";
    assert!(done.err().contains(words), "{}", done.err());
    wait_all_gone(&started);
}
