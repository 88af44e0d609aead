//! Nodes that can't be reached, and what the user tells ssh about the way.

use crate::nodes::{
    Config, Different, Sleep, Sshd, below, block, closed_port, must, nodes, ssh_of, wait_all_gone,
    with_patience,
};
use crate::support::{self, Finished, Process, Running};
use std::net::TcpListener;

/// Asserts that `error` stands in the text, once, and that all of `words` stand before it.
fn said_before(text: &str, words: &str, error: &str) {
    assert_eq!(text.matches(error).count(), 1, "{error} in {text}");
    let before = &text[..text.find(error).expect("counted")];
    assert!(before.contains(words), "{words} before {error} in {text}");
}

const HERE: [&str; 2] = ["node1: here", "node2: here"];

/// Waits until the far side hangs in its sleep; false when clsh gave up before.
fn hangs(sleep: &Sleep, clsh: &Running) -> bool {
    let mut hangs = false;
    support::wait_until("a hanging node", || {
        hangs = !sleep.running().is_empty();
        hangs || !support::is_alive(clsh.pid())
    });
    hangs
}

#[test]
fn a_dead_node_is_told_after_the_words_of_ssh_and_the_others_go_on() {
    let config = Config::new(nodes(), &block("dead", closed_port()));
    let command = ["-h", "node1,dead,node2", "echo begin; sleep 1; echo end"];
    let done = support::run(&mut config.clsh(&command));
    let expected = ["node1: begin", "node1: end", "node2: begin", "node2: end"];
    assert_eq!(
        (done.code(), done.sorted()),
        (255, expected.map(str::to_owned).to_vec())
    );
    let err = done.err();
    said_before(
        &err,
        "dead: ssh: connect to host 127.0.0.1 port",
        "ERROR: dead connection failed\n",
    );
    assert!(err.ends_with("\nclsh: dead: connection failed\n"), "{err}");
    assert!(err.lines().all(|line| line.contains("dead")), "{err}");
}

#[test]
fn an_unreached_node_tops_every_status() {
    let config = Config::new(nodes(), &block("dead", closed_port()));
    let done = support::run(&mut config.clsh(&["-h", "dead,node[1-2]", "exit 7"]));
    assert_eq!(done.code(), 255);
    let end = "clsh: node[1-2] (2): exited with exit code 7\nclsh: dead: connection failed\n";
    assert!(done.err().ends_with(end), "{}", done.err());
}

#[test]
fn a_name_that_no_one_knows_is_told() {
    let done = nodes().run(["-h", "nowhere.invalid,node1", "echo", "here"]);
    assert_eq!((done.code(), done.out()), (255, "node1: here\n".to_owned()));
    // Without a name server ssh may still be asking when the time is over.
    let words = if done.err().contains("no answer") {
        "clsh: nowhere.invalid: no answer within 10 s"
    } else {
        "nowhere.invalid: ssh: Could not resolve hostname"
    };
    said_before(
        &done.err(),
        words,
        "ERROR: nowhere.invalid connection failed\n",
    );
}

#[test]
fn a_node_that_takes_the_call_and_never_speaks_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("address").port();
    let config = Config::new(nodes(), &block("mute", port));
    let done = support::run(&mut config.clsh(&["-t", "1", "-h", "mute", "true"]));
    assert_eq!((done.code(), done.out()), (255, String::new()));
    said_before(
        &done.err(),
        "mute: Connection timed out",
        "ERROR: mute connection failed\n",
    );
    // The others beside it answer.
    let call = |patience: &str| {
        support::run(&mut config.clsh(&["-t", patience, "-h", "mute,node[1-2]", "echo", "here"]))
    };
    let (done, _) = with_patience(call, |done| done.sorted() == HERE);
    assert_eq!(
        (done.code(), done.sorted()),
        (255, HERE.map(str::to_owned).to_vec())
    );
    said_before(&done.err(), "mute: ", "ERROR: mute connection failed\n");
    let end = "\nclsh: mute: connection failed\n";
    assert!(done.err().ends_with(end), "{}", done.err());
}

#[test]
fn a_node_that_hangs_after_the_login_is_given_up() {
    let sleep = Sleep::new(201);
    let force = format!("ForceCommand {}", sleep.command());
    let different = Different {
        lines: &force,
        ..Different::default()
    };
    let hang = Sshd::start(nodes(), "hang", &different);
    let config = Config::new(nodes(), &block("hang", hang.port));
    let call = |patience: &str| {
        let words = ["-t", patience, "-h", "node1,hang,node2", "echo", "here"];
        let clsh = support::start(&mut config.clsh(&words));
        let ssh = hangs(&sleep, &clsh).then(|| ssh_of(&clsh, "hang"));
        (clsh.finish(), ssh)
    };
    let content =
        |(done, ssh): &(Finished, Option<Process>)| ssh.is_some() && done.sorted() == HERE;
    let ((done, ssh), patience) = with_patience(call, content);
    // ssh was through to the command, so only clsh could notice.
    wait_all_gone(&[ssh.expect("a login")]);
    assert_eq!(
        (done.code(), done.sorted()),
        (255, HERE.map(str::to_owned).to_vec())
    );
    let words = format!("clsh: hang: no answer within {patience} s; -t SECS allows more\n");
    said_before(&done.err(), &words, "ERROR: hang connection failed\n");
    let end = "\nclsh: hang: connection failed\n";
    assert!(done.err().ends_with(end), "{}", done.err());
}

#[test]
fn a_proxy_command_that_hangs_is_ended_with_its_ssh() {
    let sleep = Sleep::new(202);
    let proxy = format!("Host hung\n  ProxyCommand {}\n", sleep.command());
    let config = Config::new(nodes(), &proxy);
    let call = |patience: &str| {
        let words = ["-t", patience, "-h", "hung,node1", "echo", "here"];
        let clsh = support::start(&mut config.clsh(&words));
        (hangs(&sleep, &clsh), clsh.finish())
    };
    let here = "node1: here\n";
    let content = |(hung, done): &(bool, Finished)| *hung && done.out() == here;
    let ((hung, done), _) = with_patience(call, content);
    assert!(hung);
    assert_eq!((done.code(), done.out()), (255, here.to_owned()));
    let err = done.err();
    assert_eq!(
        err.matches("ERROR: hung connection failed\n").count(),
        1,
        "{err}"
    );
    sleep.wait_gone();
}

/// Ends clsh by `signal` while its ssh waits for a proxy that minds neither a polite signal nor that all others are gone.
fn stubborn_proxy_is_gone_after(signal: i32, number: u32) {
    let sleep = Sleep::new(number);
    let directory = support::scratch();
    let text = format!(
        "#!/bin/sh\ntrap '' TERM HUP INT PIPE\n{}\n",
        sleep.command()
    );
    let proxy = support::script(directory.path(), "proxy", &text);
    let block = format!("Host stubborn\n  ProxyCommand {}\n", proxy.display());
    let config = Config::new(nodes(), &block);
    let clsh = support::start(&mut config.clsh(&["-h", "stubborn", "true"]));
    sleep.wait_for(1);
    let started = below(clsh.pid());
    clsh.signal(signal);
    assert_eq!(clsh.finish().code(), 128 + signal);
    wait_all_gone(&started);
    sleep.wait_gone();
}

#[test]
fn a_proxy_command_that_ignores_sigterm_is_killed_with_its_ssh() {
    stubborn_proxy_is_gone_after(15, 205);
}

#[test]
fn after_sigquit_a_proxy_command_is_killed_with_its_ssh() {
    stubborn_proxy_is_gone_after(3, 206);
}

#[test]
fn a_refused_login_is_a_failed_connection() {
    let done = nodes().run(["-l", "clsh-no-such-user", "-h", "node1", "true"]);
    assert_eq!(done.code(), 255);
    let words = "node1: clsh-no-such-user@127.0.0.1: Permission denied";
    said_before(&done.err(), words, "ERROR: node1 connection failed\n");
}

#[test]
fn an_unknown_host_key_is_refused_as_ssh_refuses_it() {
    let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
    let strange = format!("Host strange\n  HostName 127.0.0.1\n  Port {port}\n");
    let config = Config::new(nodes(), &strange);
    let done = support::run(&mut config.clsh(&["-h", "strange", "true"]));
    assert_eq!(done.code(), 255);
    let words = "strange: Host key verification failed.";
    said_before(&done.err(), words, "ERROR: strange connection failed\n");
}

#[test]
fn user_and_port_of_a_word_reach_ssh_and_win_over_the_flag() {
    let alias = "Host here\n  HostName 127.0.0.1\n  HostKeyAlias node1\n";
    let config = Config::new(nodes(), alias);
    let port = std::fs::read_to_string(nodes().directory().join("node1.port")).expect("port");
    let me = support::run(std::process::Command::new("id").arg("-un"));
    let word = format!("{}@here:{}", me.out().trim(), port.trim());
    let command = [
        "-l",
        "clsh-no-such-user",
        "-h",
        &word,
        "echo $USER $CLSH_CLUSTER_NODE",
    ];
    let done = support::run(&mut config.clsh(&command));
    assert_eq!(
        done.out(),
        format!("here: {} node1\n", me.out().trim()),
        "{}",
        done.err()
    );
    assert_eq!(done.code(), 0);
}

#[test]
fn the_config_of_the_flag_wins_over_the_variable() {
    let config = Config::new(nodes(), &block("dead", closed_port()));
    let path = config.path();
    let words = ["-F", path.to_str().expect("UTF-8"), "-h", "dead", "true"];
    let done = nodes().run(words);
    assert_eq!(done.code(), 255);
    assert!(
        done.err().contains("dead: ssh: connect to host 127.0.0.1"),
        "{}",
        done.err()
    );
}

#[test]
fn a_jump_host_is_gone_through_and_nothing_of_it_stays() {
    for signal in [15, 9] {
        let sleep = Sleep::new(203);
        let command = ["-J", "node2", "-h", "node1,node3", &sleep.command()];
        let mut clsh = support::start(&mut nodes().clsh(command));
        sleep.wait_for(2);
        let started = below(clsh.pid());
        let jumps = |process: &&Process| {
            let last = process.words.last().is_some_and(|word| word == "node2");
            last && process.words.iter().any(|word| word == "-W")
        };
        assert_eq!(started.iter().filter(jumps).count(), 2, "{started:?}");
        clsh.signal(signal);
        assert_eq!(support::shell_code(clsh.wait()), 128 + signal);
        wait_all_gone(&started);
        sleep.wait_gone();
    }
}

#[test]
fn options_of_the_user_win_over_those_of_clsh() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = listener.local_addr().expect("address").port();
    let config = Config::new(nodes(), &block("mute", port));
    // With the value of -t, this would not come to an end while the test waits.
    let command = ["-t", "1000", "-o", "ConnectTimeout=1", "-h", "mute", "true"];
    let done = support::run(&mut config.clsh(&command));
    assert_eq!(done.code(), 255);
    said_before(
        &done.err(),
        "mute: Connection timed out",
        "ERROR: mute connection failed\n",
    );
}

#[test]
fn an_agent_that_the_user_forwards_is_forwarded() {
    struct Agent(std::process::Child);
    impl Drop for Agent {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }
    let directory = support::scratch();
    let socket = directory.path().join("agent");
    let agent = std::process::Command::new("ssh-agent")
        .args(["-D", "-a"])
        .arg(&socket)
        .stdout(std::process::Stdio::null())
        .spawn()
        .expect("ssh-agent");
    let _agent = Agent(agent);
    support::wait_until("the agent", || socket.exists());
    let command = "if test -S \"$SSH_AUTH_SOCK\"; then echo agent; else echo none; fi";
    // The config of the cluster knows no agent.
    let agent = format!("IdentityAgent={}", socket.display());
    let agent = ["-o", &agent];
    let forward = ["-o", "ForwardAgent=yes"];
    let config = nodes().ssh_config();
    let config = ["-F", config.to_str().expect("UTF-8")];
    let ssh = [&["ssh"], &config[..], &agent, &forward, &["node1", command]].concat();
    assert_eq!(must(&ssh), "agent\n", "plain ssh");
    let run = |options: &[&str]| nodes().run([&agent, options, &["-h", "node1", command]].concat());
    assert_eq!(
        run(&[]).out(),
        "node1: none\n",
        "not unless the user says so"
    );
    assert_eq!(run(&forward).out(), "node1: agent\n");
}

#[test]
fn a_login_shell_that_hangs_is_given_up() {
    // The same as above by another way: no ForceCommand, the account itself hangs.
    if crate::nodes::without_root("a login shell that hangs") {
        return;
    }
    let sleep = Sleep::new(204);
    let farm = crate::farm::farm();
    let text = format!("#!/bin/sh\nexec {}\n", sleep.command());
    let user = farm.user("hang", &farm.program("hang-shell", &text));
    let word = format!("{user}@node1");
    let call = |patience: &str| {
        let words = ["-t", patience, "-h", &word, "true"];
        let clsh = support::start(&mut farm.cluster.clsh(words));
        (hangs(&sleep, &clsh), clsh.finish())
    };
    let ((hung, done), patience) = with_patience(call, |(hung, _)| *hung);
    assert!(hung);
    assert_eq!(done.code(), 255);
    let words = format!("no answer within {patience} s");
    said_before(&done.err(), &words, "ERROR: node1 connection failed\n");
}
