//! Goal: every flag does what the table says of it. Method: each climbs a ladder of its own: all its spellings work, each bad value
//! is refused by name.

use super::*;
use crate::limits::NODES_MAX;

fn os(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[track_caller]
fn typed(words: &[&str]) -> Typed {
    match parse(os(words)) {
        Ok(Invocation::Run(typed)) => *typed,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[track_caller]
fn refused(words: &[&str]) -> String {
    match parse(os(words)) {
        Err(error) => error.to_string(),
        other => panic!("{words:?}: {other:?}"),
    }
}

/// Every way to give `value` to `flag`, as the words it takes.
fn ways(flag: &Flag, value: &str) -> Vec<Vec<String>> {
    let mut ways = Vec::new();
    for name in flag.longs {
        ways.push(vec![format!("--{name}"), value.to_owned()]);
        ways.push(vec![format!("--{name}={value}")]);
    }
    for letter in flag.shorts {
        ways.push(vec![format!("-{letter}"), value.to_owned()]);
        if !value.is_empty() {
            ways.push(vec![format!("-{letter}{value}")]);
        }
    }
    ways
}

/// A flag with a value: each good value is noted as `expected` says whichever way it is given, each bad one is refused by name.
#[track_caller]
fn ladder(id: FlagId, good: &[&str], bad: &[&str], expected: impl Fn(&mut Typed, &str)) {
    let flag = table::by_id(id);
    for value in good {
        let mut wanted = Typed {
            words: os(&["true"]),
            ..Typed::default()
        };
        expected(&mut wanted, value);
        for mut way in ways(flag, value) {
            way.push("true".to_owned());
            let way: Vec<&str> = way.iter().map(String::as_str).collect();
            assert_eq!(typed(&way), wanted, "{way:?}");
        }
    }
    for value in bad {
        for way in ways(flag, value) {
            let way: Vec<&str> = way.iter().map(String::as_str).collect();
            let error = refused(&way);
            assert!(error.starts_with("bad value "), "{way:?}: {error}");
            let spelled = way[0].split('=').next().unwrap_or_default();
            let spelled = if spelled.starts_with("--") {
                spelled
            } else {
                &spelled[..2]
            };
            assert!(
                error.contains(&format!(" for {spelled}: ")),
                "{way:?}: {error}"
            );
        }
    }
}

/// A switch: each spelling is noted as `expected` says.
#[track_caller]
fn switch(id: FlagId, expected: impl Fn(&mut Typed)) {
    let flag = table::by_id(id);
    let mut wanted = Typed {
        words: os(&["true"]),
        ..Typed::default()
    };
    expected(&mut wanted);
    let letters = flag.shorts.iter().map(|letter| format!("-{letter}"));
    for spelled in letters.chain(flag.longs.iter().map(|name| format!("--{name}"))) {
        assert_eq!(typed(&[&spelled, "true"]), wanted, "{spelled}");
        assert_eq!(
            typed(&[&spelled, &spelled, "true"]),
            wanted,
            "twice {spelled}"
        );
    }
}

#[test]
fn hosts() {
    let good = ["n1", "n[1-3],web", "bob@n1:22 [::1]", ""];
    let bad = ["-x", "--help", "-", " -x"];
    ladder(FlagId::Hosts, &good, &bad, |typed, value| {
        typed.nodes = vec![Source::List(value.to_owned())];
    });
}

#[test]
fn hostfile() {
    ladder(
        FlagId::Hostfile,
        &["nodes", "-", "-x"],
        &[],
        |typed, value| {
            typed.nodes = vec![Source::File(value.into())];
        },
    );
}

#[test]
fn hosts_and_hostfiles_add_up_in_the_order_given() {
    let list = |text: &str| Source::List(text.to_owned());
    let typed = typed(&["-h", "a", "--hostfile", "f", "-w", "b", "--hosts=c", "true"]);
    let file = Source::File("f".into());
    assert_eq!(typed.nodes, [list("a"), file, list("b"), list("c")]);
}

#[test]
fn exclude() {
    ladder(
        FlagId::Exclude,
        &["n1", "n[1-3],web"],
        &[],
        |typed, value| {
            typed.exclude = vec![value.to_owned()];
        },
    );
    assert_eq!(typed(&["-x", "a", "-xb", "true"]).exclude, ["a", "b"]);
}

#[test]
fn pick() {
    let bad = ["", "0", "-1", "1.5", "50%"];
    ladder(FlagId::Pick, &["3", "03"], &bad, |typed, _| {
        typed.pick = Some(3)
    });
    let huge = typed(&["--pick", "99999999999999999999999", "true"]);
    assert_eq!(huge.pick, Some(NODES_MAX));
}

#[test]
fn query() {
    switch(FlagId::Query, |typed| typed.query = true);
}

#[test]
fn transport() {
    let good = ["ssh", "exec", "docker exec -i %h sh -c", ""];
    ladder(FlagId::Transport, &good, &[], |typed, value| {
        typed.transport = Some(value.to_owned());
    });
}

#[test]
fn user() {
    let good = ["bob", "b.o-b_1", "bob@REALM"];
    let bad = [
        "", "-bob", "~bob", "bo b", "bob;id", "bob\n", "a,b", "a[1-2]", "a[1]", "$(id)", "a/b",
    ];
    ladder(FlagId::User, &good, &bad, |typed, value| {
        typed.user = Some(value.to_owned());
    });
}

#[test]
fn ssh_config() {
    ladder(
        FlagId::SshConfig,
        &["conf", "none", "/etc/ssh/c"],
        &[],
        |typed, value| {
            typed.ssh_config = Some(value.into());
        },
    );
}

#[test]
fn jump() {
    let bad = ["", "-oProxyCommand=x", "gate;id", "gate\u{1b}[m"];
    ladder(
        FlagId::Jump,
        &["gate", "bob@gate:22,inner"],
        &bad,
        |typed, value| {
            typed.jump = Some(value.to_owned());
        },
    );
}

#[test]
fn option() {
    let good = ["Port=2222", "Port 2222", "ProxyCommand=a;b"];
    ladder(FlagId::Option, &good, &["", "  "], |typed, value| {
        typed.options = vec![value.to_owned()];
    });
    let typed = typed(&["-o", "A=1", "-oB=2", "--option=C=3", "true"]);
    assert_eq!(typed.options, ["A=1", "B=2", "C=3"], "all count, in order");
}

/// Values no flag for seconds takes.
const NO_SECONDS: [&str; 10] = [
    "",
    "x",
    "-1",
    "+1",
    "1e3",
    "inf",
    "nan",
    "5s",
    "1.",
    "315360001",
];

fn half_or_ten(value: &str) -> Option<Duration> {
    Some(Duration::from_millis(if value == "10" {
        10_000
    } else {
        500
    }))
}

#[test]
fn connect_timeout() {
    let good = ["10", "0.5"];
    let set = |typed: &mut Typed, value: &str| typed.connect = half_or_ten(value);
    ladder(FlagId::ConnectTimeout, &good, &NO_SECONDS, set);
    ladder(FlagId::ConnectTimeout, &[], &["0", "0.0"], set);
}

#[test]
fn retries() {
    let bad = ["", "-1", "+1", "1.5", "many", "1001"];
    ladder(FlagId::Retries, &["0", "1000"], &bad, |typed, value| {
        typed.retries = Some(if value == "0" { 0 } else { 1000 });
    });
}

#[test]
fn retry_delay() {
    let set = |typed: &mut Typed, value: &str| typed.retry_delay = half_or_ten(value);
    ladder(FlagId::RetryDelay, &["10", "0.5"], &NO_SECONDS, set);
    ladder(FlagId::RetryDelay, &["0"], &[], |typed, _| {
        typed.retry_delay = Some(Duration::ZERO);
    });
}

#[test]
fn bare() {
    switch(FlagId::Bare, |typed| typed.bare = true);
}

#[test]
fn tty() {
    switch(FlagId::Tty, |typed| typed.tty = true);
}

#[test]
fn no_config() {
    switch(FlagId::NoConfig, |typed| typed.no_config = true);
}

#[test]
fn no_stdin() {
    switch(FlagId::NoStdin, |typed| typed.no_stdin = true);
}

#[test]
fn fanout() {
    let bad = ["", "0", "-1", "+1", "1.5", "many", "0x10", "8 "];
    ladder(FlagId::Fanout, &["8", "08"], &bad, |typed, _| {
        typed.fanout = Some(8)
    });
    let huge = typed(&["-f", "99999999999999999999999", "true"]);
    assert_eq!(huge.fanout, Some(NODES_MAX));
}

#[test]
fn timeout() {
    let good = ["10", "0.5"];
    let set = |typed: &mut Typed, value: &str| typed.time_limit = half_or_ten(value);
    ladder(FlagId::Timeout, &good, &NO_SECONDS, set);
    ladder(FlagId::Timeout, &[], &["0", "0.0"], set);
}

#[test]
fn kill_after() {
    let set = |typed: &mut Typed, value: &str| typed.kill_after = half_or_ten(value);
    ladder(FlagId::KillAfter, &["10", "0.5"], &NO_SECONDS, set);
    ladder(FlagId::KillAfter, &["0"], &[], |typed, _| {
        typed.kill_after = Some(Duration::ZERO);
    });
}

#[test]
fn fail_fast() {
    switch(FlagId::FailFast, |typed| typed.fail_fast = true);
}

#[test]
fn keep_going() {
    switch(FlagId::KeepGoing, |typed| typed.keep_going = true);
}

#[test]
fn status_is_the_default() {
    switch(FlagId::Status, |_| {});
}

#[test]
fn shapes() {
    switch(FlagId::Gather, |typed| typed.gather = true);
    switch(FlagId::Diff, |typed| typed.diff = true);
    switch(FlagId::InOrder, |typed| typed.in_order = true);
    switch(FlagId::Json, |typed| typed.json = true);
}

#[test]
fn files_that_are_written() {
    let good = ["logs", "/tmp/a b", "-", "-x", "."];
    ladder(FlagId::Out, &good, &[""], |typed, value| {
        typed.out = Some(value.into());
    });
    ladder(FlagId::Err, &good, &[""], |typed, value| {
        typed.err = Some(value.into());
    });
    ladder(FlagId::Failed, &good, &[""], |typed, value| {
        typed.failed = Some(value.into());
    });
}

#[test]
fn reports() {
    switch(FlagId::Progress, |typed| typed.progress = true);
    switch(FlagId::Summary, |typed| typed.summary = true);
}

#[test]
fn no_label() {
    switch(FlagId::NoLabel, |typed| typed.no_label = true);
}

#[test]
fn color() {
    let bad = ["", "yes", "AUTO", "auto "];
    ladder(
        FlagId::Color,
        &["auto", "always", "never"],
        &bad,
        |typed, value| {
            typed.color = Some(match value {
                "auto" => ColorWhen::Auto,
                "always" => ColorWhen::Always,
                _ => ColorWhen::Never,
            });
        },
    );
}

#[test]
fn quiet_and_verbose() {
    switch(FlagId::Quiet, |typed| typed.talk = Some(Talk::Quiet));
    switch(FlagId::Verbose, |typed| typed.talk = Some(Talk::Verbose));
    assert_eq!(
        typed(&["-qv", "true"]).talk,
        Some(Talk::Verbose),
        "the last wins"
    );
    assert_eq!(
        typed(&["-vq", "true"]).talk,
        Some(Talk::Quiet),
        "the last wins"
    );
}

#[test]
fn help_and_version_end_the_parse_where_they_stand() {
    for words in [&["--help"][..], &["-h", "n1", "--help", "--bogus"]] {
        assert_eq!(parse(os(words)), Ok(Invocation::Help), "{words:?}");
    }
    for words in [&["--version"][..], &["-V"], &["-qV", "--bogus"]] {
        assert_eq!(parse(os(words)), Ok(Invocation::Version), "{words:?}");
    }
    assert!(refused(&["--bogus", "--help"]).contains("--bogus"));
    assert_eq!(typed(&["echo", "--help"]).words, os(&["echo", "--help"]));
}
