//! Much output in shapes that keep it: memory stays bounded, what does not fit waits in a file without a name, and every byte comes out.

use crate::gear::{call, file, finish, names, start_into};
use crate::kit::{Held, high_water_kib, read_all, text};
use crate::support::{scratch, shell_code};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the output that is kept may take in memory, and clsh beside it.
const MEMORY_KIB: u64 = 96 * 1024;
const NODES: [&str; 4] = ["n1", "n2", "n3", "n4"];

/// A file of 30 MB in lines of 1,000 bytes, no two the same.
fn big(directory: &Path) -> Vec<u8> {
    let mut text = Vec::with_capacity(30_000_000);
    for n in 0..30_000 {
        writeln!(text, "{n:0999}").expect("memory");
    }
    file(directory, "big", &text);
    text
}

/// Checksums what is written into it.
struct Sum(std::process::Child);

impl Sum {
    fn new() -> Self {
        let mut command = Command::new("cksum");
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        Self(command.spawn().expect("cksum"))
    }

    fn add(&mut self, bytes: &[u8]) {
        let stdin = self.0.stdin.as_mut().expect("piped");
        stdin.write_all(bytes).expect("write");
    }

    fn get(mut self) -> String {
        drop(self.0.stdin.take());
        finish(self.0)
    }
}

/// Runs the call to its end with its output checksummed, and watches its memory meanwhile: gives the sum.
fn bounded(call: &mut Command, directory: &Path) -> String {
    let place = scratch();
    let call = call.env("TMPDIR", place.path()).current_dir(directory);
    let (mut held, reader) = start_into(call, "cksum", &[]);
    let mut most = 0;
    let mut status = None;
    crate::support::wait_until("the end", || {
        most = high_water_kib(held.pid()).unwrap_or(0).max(most);
        status = held.0.try_wait().expect("wait");
        status.is_some()
    });
    assert!(most > 0 && most < MEMORY_KIB, "clsh held {most} KiB");
    assert_eq!(shell_code(status.expect("ended")), 0);
    assert_eq!(names(place.path()), [""; 0]);
    finish(reader)
}

fn header(names: &str) -> String {
    let rule = "-".repeat(15);
    format!("{rule}\n{names}\n{rule}\n")
}

#[test]
fn output_that_is_the_same_is_kept_once() {
    let place = scratch();
    let text = big(place.path());
    let sum = bounded(&mut call("n[1-4]", &["-b"], "exec cat big"), place.path());
    let mut wanted = Sum::new();
    wanted.add(header("n[1-4] (4)").as_bytes());
    wanted.add(&text);
    assert_eq!(sum, wanted.get());
}

#[test]
fn output_that_differs_from_its_first_line_on_is_kept_for_all_in_bounded_memory() {
    let place = scratch();
    let text = big(place.path());
    let sum = bounded(
        &mut call("n[1-4]", &["-b"], "echo $h; exec cat big"),
        place.path(),
    );
    let mut wanted = Sum::new();
    for node in NODES {
        wanted.add(format!("{}{node}\n", header(node)).as_bytes());
        wanted.add(&text);
    }
    assert_eq!(sum, wanted.get());
}

#[test]
fn lines_that_wait_for_their_turn_are_kept_in_bounded_memory() {
    let place = scratch();
    let all = big(place.path());
    // The first one waits until all others have said all.
    let go = text(place.path().join("go"));
    let watcher = place.path().join("said");
    let script = format!(
        "[ $h != n1 ] || while [ ! -e {go} ]; do sleep 0.02; done; echo $h; cat big; echo >>{said}; [ $(wc -l <{said}) -lt 3 ] || : >{go}",
        said = text(&watcher)
    );
    let mut call = call("n[1-4]", &["-L"], &script);
    let sum = bounded(&mut call, place.path());
    let mut wanted = Sum::new();
    for node in NODES {
        let label = format!("{node}: ");
        let mut labelled = format!("{label}{node}\n").into_bytes();
        for line in all.chunks(1000) {
            labelled.extend_from_slice(label.as_bytes());
            labelled.extend_from_slice(line);
        }
        wanted.add(&labelled);
    }
    assert_eq!(sum, wanted.get());
}

#[test]
fn of_output_that_cannot_be_kept_what_there_was_is_printed_and_the_run_ends_with_words() {
    let place = scratch();
    big(place.path());
    // One node says little and is done; the others say more than there is room for.
    let script = "echo $h; [ $h != n1 ] || exit 0; [ $h != n2 ] || exec sleep 100; exec cat big";
    for shape in ["-b", "-L"] {
        let mut call = call("n[1-6]", &[shape], script);
        call.env("TMPDIR", "/no/such/place")
            .current_dir(place.path());
        let out = place.path().join("out");
        let to = std::fs::File::create(&out).expect("a file");
        let mut held = Held::start(call.stdout(to).stderr(Stdio::piped()));
        let err = read_all(held.0.stderr.take().expect("piped"));
        let err = String::from_utf8(err).expect("text");
        assert_eq!(held.wait(), 255);
        let words =
            "clsh: cannot keep output that is printed later: No such file or directory; set TMPDIR";
        assert!(err.contains(words), "{err}");
        let out = std::fs::read_to_string(out).expect("text");
        // Nobody is to take a part for all of it.
        let (done, begun) = match shape {
            "-b" => (
                "\nn1\n---------------\nn1\n",
                "n3: unfinished\n---------------\nn3\n000",
            ),
            _ => ("n1: n1\n", "n2: n2\nn3: n3\nn3: 000"),
        };
        assert!(
            out.contains(done) && out.contains(begun),
            "{shape}: {}",
            &out[..out.len().min(500)]
        );
        // Of each node it is the beginning, without a hole.
        let numbers = out
            .lines()
            .filter_map(|line| line.rsplit(' ').next()?.parse::<usize>().ok());
        let mut expected = 0;
        for number in numbers {
            assert!(
                number == expected || number == 0,
                "{number} after {expected}"
            );
            expected = number + 1;
        }
        assert!(expected > 0, "{shape}");
    }
}
