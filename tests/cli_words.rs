//! Goal: a call means what its words say, and a wrong one is refused in words that help. Method: the rules that hold for every flag
//! alike, run over the whole table, and what becomes of the command's words. All through the library; no process is started.

use clsh::cli::table::{self, FLAGS};
use clsh::cli::{Action, CliError, Environment, Invocation, Typed, parse, resolve};
use clsh::job::{ColorWhen, Talk, Work};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

fn os(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

fn invocation(words: &[&str]) -> Result<Invocation, CliError> {
    parse(os(words))
}

#[track_caller]
fn typed(words: &[&str]) -> Typed {
    match invocation(words) {
        Ok(Invocation::Run(typed)) => *typed,
        other => panic!("{words:?}: {other:?}"),
    }
}

#[track_caller]
fn refused(words: &[&str]) -> String {
    match invocation(words) {
        Err(error) => error.to_string(),
        other => panic!("{words:?}: {other:?}"),
    }
}

#[test]
fn a_missing_value_is_asked_for_by_name() {
    for flag in &FLAGS {
        let Some(value) = flag.value else { continue };
        let letters = flag.shorts.iter().map(|letter| format!("-{letter}"));
        let names = flag.longs.iter().map(|name| format!("--{name}"));
        for spelled in letters.chain(names) {
            let error = refused(&["-q", &spelled]);
            assert!(error.starts_with(&spelled), "{error}");
            assert!(
                error.contains("needs a") && error.contains(value),
                "{error}"
            );
        }
    }
}

#[test]
fn a_lone_h_tells_where_the_help_is() {
    for words in [&["-h"][..], &["-qh"], &["-h", "--help"], &["-h", "-q"]] {
        let error = refused(words);
        assert!(error.contains("-h names the nodes"), "{error}");
        assert!(error.contains("--help"), "{error}");
    }
}

#[test]
fn a_switch_takes_no_value() {
    for flag in FLAGS.iter().filter(|flag| flag.value.is_none()) {
        for given in ["yes", ""] {
            for name in flag.longs {
                let error = refused(&[&format!("--{name}={given}")]);
                let wanted = format!("--{name} takes no value, but got '{given}'");
                assert!(error.starts_with(&wanted), "{error}");
            }
        }
    }
    assert!(refused(&["-q=yes", "true"]).starts_with("-q takes no value, but got 'yes'"));
}

#[test]
fn a_repeated_flag_counts_as_its_last() {
    let typed = typed(&[
        "-f1",
        "-f2",
        "-la",
        "-lb",
        "--color=never",
        "--color=auto",
        "true",
    ]);
    assert_eq!(typed.fanout, Some(2));
    assert_eq!(typed.user.as_deref(), Some("b"));
    assert_eq!(typed.color, Some(ColorWhen::Auto));
}

#[test]
fn letters_of_switches_combine() {
    let one = typed(&["-qNSf8", "true"]);
    assert_eq!(one, typed(&["-q", "-N", "-S", "-f", "8", "true"]));
    assert!(one.no_label && one.fanout == Some(8));
}

#[test]
fn an_unknown_flag_is_named_with_the_nearest() {
    for (words, flag, nearest) in [
        ("--fanuot", "'--fanuot'", Some("'--fanout'")),
        ("--fanuot=8", "'--fanuot'", Some("'--fanout'")),
        ("--host", "'--host'", Some("'--hosts'")),
        ("--keep", "'--keep'", Some("'--keep-going'")),
        ("--xyzzy", "'--xyzzy'", None),
        ("-y", "'-y'", None),
        ("-qy", "'-y'", None),
        ("-X", "'-X'", Some("'-x'")),
        ("--\u{1b}[31m", "'--\\u{1b}[31m'", None),
    ] {
        let error = refused(&[words, "true"]);
        let start = match nearest {
            Some(nearest) => format!("unknown flag {flag}; did you mean {nearest}? clsh --help"),
            None => format!("unknown flag {flag}; clsh --help"),
        };
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn a_flag_of_later_work_is_unknown() {
    for later in ["-B", "--forward-agent", "--become"] {
        assert!(refused(&[later]).starts_with("unknown flag"), "{later}");
    }
}

// The command's words.

#[test]
fn options_end_at_the_first_word_that_is_not_one() {
    for (words, command) in [
        (&["ls", "-l", "-h"][..], &["ls", "-l", "-h"][..]),
        (&["--", "ls", "-h"], &["ls", "-h"]),
        (&["--", "--help"], &["--help"]),
        (&["--", "--", "x"], &["--", "x"]),
        (&["ls", "--", "-x"], &["ls", "--", "-x"]),
        (&["-", "-q"], &["-", "-q"]),
        (&["", "-q"], &["", "-q"]),
        (&["--"], &[]),
        (&[], &[]),
    ] {
        for flags in [&[][..], &["-q"], &["-h", "n1", "-N"]] {
            let all: Vec<&str> = [flags, words].concat();
            assert_eq!(typed(&all).words, os(command), "{all:?}");
        }
    }
}

#[test]
fn the_command_may_hold_any_bytes() {
    let bytes = OsString::from_vec(b"a\xff\x1b=".to_vec());
    let Ok(Invocation::Run(typed)) = parse([bytes.clone(), bytes.clone()]) else {
        panic!("bytes are no reason to refuse a command");
    };
    assert_eq!(typed.words, [bytes.clone(), bytes]);
}

#[test]
fn only_file_names_may_hold_any_bytes() {
    let names = FLAGS
        .iter()
        .flat_map(|flag| flag.longs.iter().map(|name| (flag.value, name)));
    for (value, name) in names.filter(|(value, _)| value.is_some()) {
        let words = [
            format!("--{name}").into(),
            OsStr::from_bytes(b"a\xff").to_owned(),
        ];
        match (value, parse(words)) {
            (Some("FILE" | "DIR"), Ok(_)) => {}
            (_, Err(error)) => assert_eq!(
                error.to_string(),
                format!("bad value 'a\\xff' for --{name}: it is not valid UTF-8")
            ),
            (_, ok) => panic!("{ok:?}"),
        }
    }
}

#[test]
fn a_flag_that_is_no_text_is_unknown() {
    for bytes in [&b"--fan\xffout"[..], b"-\xff", b"-q\xff"] {
        let error = parse([OsStr::from_bytes(bytes).to_owned()]).expect_err("unknown");
        assert!(error.to_string().starts_with("unknown flag '-"), "{error}");
    }
}

#[test]
fn from_words_to_a_job() {
    let words = ["-qh", "n[1-2],bob@n3:22", "-R", "exec", "ping", "-c1", "%h"];
    let resolved = resolve(typed(&words), &Environment::default()).expect("a right call");
    assert!(resolved.notes.is_empty());
    let Action::Run(job) = resolved.action else {
        panic!("{:?}", resolved.action);
    };
    assert_eq!((job.nodes.len(), job.talk), (3, Talk::Quiet));
    let words = [&b"ping"[..], b"-c1", b"%h"].map(<[u8]>::to_vec);
    assert_eq!(job.work, Work::Command(words.to_vec()));
}

#[test]
fn the_flags_of_this_release_and_no_others() {
    let wanted = "-h -w --hosts --hostfile -x --exclude --pick -Q --query -R --transport -l --user -F \
                  --ssh-config -J --jump -o --option -t --connect-timeout -A --askpass --password-file --retries --retry-delay --bare \
                  -n --nostdin --tty --sudo --sudo-user -i --interactive --script --shell -f --fanout -u --timeout --kill-after -k --fail-fast \
                  --keep-going -S --status -b --gather --diff -L --in-order --json --out --outdir --err --errdir \
                  -N --no-label --color -q --quiet -v --verbose --progress --summary --failed --no-config --generate --help -V --version";
    assert_eq!(table::spellings().join(" "), wanted);
}
