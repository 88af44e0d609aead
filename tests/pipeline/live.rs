//! Standard input that is not there all at once: it goes out as it comes, its end reaches every node, and a run does not wait for it.

use crate::gear::{Way, file, from_all, start_piped};
use crate::kit::{Stray, nap};
use crate::support::{run, scratch, wait_until};
use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

#[test]
fn a_line_arrives_on_every_node_before_the_input_ends() {
    for way in Way::BOTH {
        let (running, mut stdin) = start_piped(&mut way.call("n[1-3]", &[], "exec cat"));
        for line in ["one", "two"] {
            writeln!(stdin, "{line}").expect("write");
            for node in ["n1", "n2", "n3"] {
                running.stdout.wait_for(&format!("{node}: {line}\n"));
            }
        }
        drop(stdin);
        let done = running.finish();
        assert_eq!((done.code(), done.err()), (0, String::new()), "{way:?}");
        assert_eq!(done.out().lines().count(), 6);
    }
}

#[test]
fn a_node_that_starts_late_gets_what_came_before_it() {
    for way in Way::BOTH {
        let mut call = way.call("n[1-2]", &["-f", "1"], "read -r line; echo \"$line\"");
        let (running, mut stdin) = start_piped(&mut call);
        writeln!(stdin, "only").expect("write");
        // The input never ends while they run.
        running.stdout.wait_for("n1: only\n");
        running.stdout.wait_for("n2: only\n");
        assert_eq!(running.finish().code(), 0, "{way:?}");
        drop(stdin);
    }
}

#[test]
fn the_end_of_input_reaches_every_node_even_when_there_was_none() {
    let place = scratch();
    let empty = file(place.path(), "empty", "");
    let script = "n=$(wc -c); echo end $((n))";
    for way in Way::BOTH {
        for fanout in ["5", "2"] {
            let call = || way.call("n[1-5]", &["-f", fanout], script);
            let (running, stdin) = start_piped(&mut call());
            drop(stdin);
            let piped = running.finish();
            let (running, mut stdin) = start_piped(&mut call());
            write!(stdin, "four").expect("write");
            drop(stdin);
            let four = running.finish();
            let file = run(call().stdin(File::open(&empty).expect("open")));
            let null = run(&mut call());
            let wanted = from_all(5, "end 0");
            assert_eq!(
                [piped.sorted(), file.sorted(), null.sorted()],
                [wanted.clone(), wanted.clone(), wanted]
            );
            assert_eq!(four.sorted(), from_all(5, "end 4"));
            for done in [piped, file, null, four] {
                assert_eq!((done.code(), done.err()), (0, String::new()), "{way:?}");
            }
        }
    }
}

#[test]
fn a_closed_stdin_is_an_empty_one() {
    for way in Way::BOTH {
        let call = way.call("n[1-2]", &[], "cat; echo end");
        let done = run(&mut crate::kit::through("sh", "exec \"$@\" <&-", &call));
        assert_eq!(done.sorted(), from_all(2, "end"), "{way:?}: {}", done.err());
        assert_eq!(done.code(), 0);
    }
}

#[test]
fn an_input_that_never_ends_does_not_hold_a_run_whose_commands_are_done() {
    for way in Way::BOTH {
        let (running, stdin) = start_piped(&mut way.call("n[1-3]", &["-f", "2"], "echo done"));
        let done = running.finish();
        drop(stdin);
        assert_eq!(done.sorted(), from_all(3, "done"), "{way:?}");
        assert_eq!((done.code(), done.err()), (0, String::new()));
        // A flood, of which each node wants a line.
        let nap = nap();
        let stray = Stray::new(&["yes", &nap]);
        let mut yes = Command::new("yes")
            .arg(&nap)
            .stdout(Stdio::piped())
            .spawn()
            .expect("yes");
        let flood = yes.stdout.take().expect("piped");
        let done = run(way.call("n[1-3]", &[], "head -n 1").stdin(flood));
        assert_eq!(done.sorted(), from_all(3, &nap), "{way:?}");
        assert_eq!((done.code(), done.err()), (0, String::new()));
        wait_until("the end of the flood", || stray.count() == 0);
        let _ = yes.wait();
    }
}
