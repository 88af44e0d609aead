//! What ssh itself says ends in a carriage return and a newline, for a raw terminal: clsh takes it off, and leaves the command's own.

use crate::nodes::{Config, Sleep, block, closed_port, nodes, session_above};
use crate::support::{self, start};

/// The values of `line` in the output of `--json`.
fn lines(json: &str) -> Vec<String> {
    let objects = json.lines().map(|line| {
        serde_json::from_str::<serde_json::Value>(line)
            .unwrap_or_else(|error| panic!("{error}: {line}"))
    });
    objects
        .filter_map(|object| {
            object
                .get("line")
                .and_then(|line| line.as_str())
                .map(str::to_owned)
        })
        .collect()
}

#[test]
fn no_line_of_sshs_own_keeps_its_carriage_return() {
    let config = Config::new(nodes(), &block("dead", closed_port()));
    for shape in ["--json", "-b", "-L", "-N"] {
        let words = ["-v", shape, "-h", "dead", "true"];
        let done = support::run(&mut config.clsh(&words));
        let said = format!("{}{}", done.out(), done.err());
        assert!(
            said.contains("ssh: connect to host 127.0.0.1 port"),
            "{said}"
        );
        assert!(!said.contains('\r') && !said.contains("\\r"), "{said:?}");
    }
}

#[test]
fn a_commands_own_stay() {
    let command =
        r"printf 'a\r\n\rb\r\n' >&2; printf 'c\r\n'; printf 'Connection to x was here\r\n' >&2";
    for _ in 0..5 {
        let done = nodes().run(["--json", "-h", "node1", command]);
        let mut said = lines(&done.out());
        said.sort();
        assert_eq!(
            said,
            ["\rb\r", "Connection to x was here\r", "a\r", "c\r"],
            "{}",
            done.err()
        );
    }
}

#[test]
fn nor_does_the_line_by_which_ssh_says_that_the_connection_is_gone() {
    let sleep = Sleep::new(7201);
    let command = format!("printf 'up\\r\\n' >&2; {}", sleep.command());
    let running = start(&mut nodes().clsh(["--json", "-h", "node1", &command]));
    sleep.wait_for(1);
    support::wait_until("its line", || running.stdout.text().contains("up"));
    let session = session_above(sleep.running()[0].pid);
    support::kill(session.pid, 9);
    let done = running.finish();
    let said = lines(&done.out());
    assert_eq!(said.len(), 2, "{said:?}");
    assert_eq!(said[0], "up\r");
    assert!(said[1].ends_with("closed by remote host."), "{said:?}");
}
