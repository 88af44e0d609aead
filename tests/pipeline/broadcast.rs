//! Standard input arrives on every node, whole and in order, whatever it is and however many nodes run at once.

use crate::gear::{Way, cksum, file, from_all, random, run_fed};
use crate::kit::{text, through};
use crate::support::{run, scratch};
use std::fs::File;

const BYTES: usize = 3 << 20;

#[test]
fn random_bytes_from_a_pipe_arrive_on_all_of_20_nodes_and_leave_no_file() {
    let bytes = random(BYTES);
    let wanted = from_all(20, &cksum(&bytes));
    for way in Way::BOTH {
        for fanout in ["20", "3"] {
            let place = scratch();
            let mut call = way.call("n[1-20]", &["-f", fanout], "cksum");
            let done = run_fed(call.env("TMPDIR", place.path()), &bytes);
            assert_eq!(done.sorted(), wanted, "{way:?} -f {fanout}: {}", done.err());
            assert_eq!((done.code(), done.err()), (0, String::new()));
            assert_eq!(crate::gear::names(place.path()), [""; 0]);
        }
    }
}

#[test]
fn random_bytes_of_a_file_arrive_on_all_of_20_nodes() {
    let place = scratch();
    let bytes = random(BYTES);
    let path = file(place.path(), "input", &bytes);
    let wanted = from_all(20, &cksum(&bytes));
    for way in Way::BOTH {
        for fanout in ["20", "3"] {
            let mut call = way.call("n[1-20]", &["-f", fanout], "cksum");
            // A file is simply read again: nothing needs to be kept, and so no place is needed.
            call.stdin(File::open(&path).expect("open"))
                .env("TMPDIR", "/no/such/place");
            let done = run(&mut call);
            assert_eq!(done.sorted(), wanted, "{way:?} -f {fanout}: {}", done.err());
            assert_eq!((done.code(), done.err()), (0, String::new()));
        }
    }
}

#[test]
fn a_file_that_was_read_in_part_gives_its_rest_and_is_used_up() {
    let place = scratch();
    let rest: String = (0..40_000).map(|n| format!("line {n}\n")).collect();
    let path = file(place.path(), "input", format!("first\n{rest}"));
    let wanted = from_all(3, &cksum(rest.as_bytes()));
    for way in Way::BOTH {
        for fanout in ["3", "1"] {
            // "true" reads nothing, and the file is used up all the same.
            for (script, lines) in [("cksum", wanted.clone()), ("true", Vec::new())] {
                let call = way.call("n[1-3]", &["-f", fanout], script);
                let around = "{ read -r line; echo \"head: $line\"; \"$@\"; echo \"status: $?\"; read -r line || echo 'at the end'; }";
                let around = format!("{around} <{}", text(&path));
                let done = run(&mut through("sh", &around, &call));
                let mut lines = lines;
                lines.extend(["head: first", "status: 0", "at the end"].map(String::from));
                lines.sort();
                assert_eq!(done.sorted(), lines, "{way:?} -f {fanout}: {}", done.err());
            }
        }
    }
}

#[test]
fn input_in_small_pieces_arrives_in_order() {
    use std::io::Write;
    for way in Way::BOTH {
        let (running, mut stdin) =
            crate::gear::start_piped(&mut way.call("n[1-3]", &["-f", "2"], "cksum"));
        let mut all = Vec::new();
        for piece in 0..3000 {
            let piece = format!("{piece} ");
            stdin.write_all(piece.as_bytes()).expect("write");
            all.extend_from_slice(piece.as_bytes());
        }
        drop(stdin);
        let done = running.finish();
        assert_eq!(done.sorted(), from_all(3, &cksum(&all)), "{way:?}");
        assert_eq!(done.code(), 0);
    }
}
