//! Every line is written whole, in order and unchanged, however a node writes it.

use crate::kit::{by_label, exec, labelled, noise, text, through};
use crate::support::{run, scratch, start};
use std::fs;

const LINE_BYTES_MAX: usize = 1 << 20;

/// Prints lines of 1 to 900 bytes, each in two halves and now and then with a pause between them, on stdout and, with a second argument,
/// on stderr by turns.
const HALVES: &str = r#"
i=0
while [ $i -lt 150 ]; do
  i=$((i + 1)) n=$(((i * 37 + CLSH_RANK * 11) % 900 + 1))
  half=$((n / 2)) rest=$((n - n / 2))
  [ "$1" ] && [ $((i % 2)) = 1 ] && exec 3>&2 || exec 3>&1
  printf "%.${half}s" "$CLSH_RANK.$i.$FIRST" >&3
  [ $((i % 10)) = 0 ] && sleep 0.01
  printf "%.${rest}s\n" "$CLSH_RANK,$i,$SECOND" >&3
done"#;

fn halves(rank: usize) -> Vec<Vec<u8>> {
    (1..=150)
        .map(|i| {
            let n = (i * 37 + rank * 11) % 900 + 1;
            let first = format!("{rank}.{i}.{}", "a".repeat(450));
            let second = format!("{rank},{i},{}", "z".repeat(450));
            format!("{}{}", &first[..n / 2], &second[..n - n / 2]).into_bytes()
        })
        .collect()
}

#[test]
fn lines_written_in_halves_by_32_nodes_stay_whole_and_in_order() {
    let mut call = exec("n[0-31]", ["sh", "-c", HALVES]);
    call.env("FIRST", "a".repeat(450))
        .env("SECOND", "z".repeat(450));
    let done = run(&mut call);
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let nodes = by_label(&done.stdout);
    assert_eq!(nodes.len(), 32);
    for rank in 0..32 {
        assert!(nodes[&format!("n{rank}")] == halves(rank), "node {rank}");
    }
}

#[test]
fn two_streams_that_lead_to_one_pipe_keep_their_lines_whole_and_in_order() {
    let mut call = exec("n[0-15]", ["sh", "-c", HALVES, "sh", "both"]);
    call.env("FIRST", "a".repeat(450))
        .env("SECOND", "z".repeat(450));
    let done = run(&mut through("sh", r#"exec "$@" 2>&1"#, &call));
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let nodes = by_label(&done.stdout);
    for rank in 0..16 {
        let (all, lines) = (halves(rank), &nodes[&format!("n{rank}")]);
        assert_eq!(lines.len(), all.len());
        // Which of two streams is read first nobody can tell; within each the order stays.
        for stream in 0..2 {
            let wanted: Vec<_> = all.iter().skip(stream).step_by(2).collect();
            let got: Vec<_> = lines.iter().filter(|line| wanted.contains(line)).collect();
            assert!(got == wanted, "node {rank}, stream {stream}");
        }
    }
}

#[test]
fn lines_of_both_streams_come_in_order_of_arrival_where_both_lead_to_one_pipe() {
    let directory = scratch();
    let script = r#"
i=0
while [ $i -lt 8 ]; do
  [ $((i % 2)) = 0 ] && echo $i || echo $i >&2
  while [ ! -e seen$i ]; do sleep 0.01; done
  i=$((i + 1))
done"#;
    let call = exec("n1", ["sh", "-c", script]);
    let running = start(through("sh", r#"exec "$@" 2>&1"#, &call).current_dir(directory.path()));
    for i in 0..8 {
        running.stdout.wait_for(&format!("n1: {i}\n"));
        fs::write(directory.path().join(format!("seen{i}")), "").expect("write");
    }
    let done = running.finish();
    assert_eq!(
        done.out(),
        labelled("n1", &["0", "1", "2", "3", "4", "5", "6", "7"])
    );
}

#[test]
fn lines_of_sizes_around_every_buffer_edge_pass_unchanged_and_longer_ones_in_pieces() {
    let sizes = [
        1,
        4095,
        4096,
        4097,
        65_535,
        65_536,
        65_537,
        131_073,
        LINE_BYTES_MAX - 1,
        LINE_BYTES_MAX,
        LINE_BYTES_MAX + 1,
        2 * LINE_BYTES_MAX,
        3_000_000,
    ];
    let directory = scratch();
    let mut names = Vec::new();
    for size in sizes {
        for (kind, end) in [("whole", &b"\n"[..]), ("open", b"")] {
            let name = format!("{kind}{size}");
            let line = [&noise(size, size), end].concat();
            fs::write(directory.path().join(&name), line).expect("write");
            names.push(name);
        }
    }
    let done = run(exec(&names.join(","), ["cat", "%h"]).current_dir(directory.path()));
    assert_eq!(done.code(), 0);
    let nodes = by_label(&done.stdout);
    let mut warnings = Vec::new();
    for (name, size) in names
        .iter()
        .zip(sizes.iter().flat_map(|&size| [size, size]))
    {
        let wanted: Vec<Vec<u8>> = noise(size, size)
            .chunks(LINE_BYTES_MAX)
            .map(<[u8]>::to_vec)
            .collect();
        assert!(nodes[name] == wanted, "{name}: lines differ");
        if size > LINE_BYTES_MAX {
            warnings.push(name);
        }
    }
    let err = done.err();
    assert_eq!(err.lines().count(), warnings.len(), "{err}");
    for name in warnings {
        let own = err
            .lines()
            .filter(|line| line.starts_with(&format!("clsh: {name}: ")));
        assert_eq!(own.count(), 1, "one warning for {name} in {err}");
    }
}

#[test]
fn many_long_lines_of_one_node_bring_one_warning_and_quiet_brings_none() {
    let script = "for i in 1 2 3; do head -c 1500000 /dev/zero | tr '\\0' x; echo; done";
    let done = run(&mut exec("n1", ["sh", "-c", script]));
    let lengths: Vec<usize> = by_label(&done.stdout)["n1"].iter().map(Vec::len).collect();
    let rest = 1_500_000 - LINE_BYTES_MAX;
    assert_eq!(
        lengths,
        [
            LINE_BYTES_MAX,
            rest,
            LINE_BYTES_MAX,
            rest,
            LINE_BYTES_MAX,
            rest
        ]
    );
    assert_eq!(done.err().lines().count(), 1, "{}", done.err());
    let quiet = run(&mut exec("n1", ["-q", "sh", "-c", script]));
    assert!(quiet.stdout == done.stdout);
    assert_eq!(quiet.err(), "");
}

/// Every byte value in odd company: NUL, bytes that are no UTF-8, CRLF, a lone CR, escape sequences, empty lines, no last newline.
fn odd_bytes() -> Vec<u8> {
    let every: Vec<u8> = (0..=255).collect();
    [
        &every[..],
        b"\r\n\r\n\n\n\xff\xfe\xc3\n\0\0\n\x1b[2J\x1b]0;t\x07 over\rwritten\nn1: n2: \n\t \nlast",
    ]
    .concat()
}

#[test]
fn every_byte_passes_a_pipe_unchanged_on_both_streams() {
    let directory = scratch();
    let file = directory.path().join("odd");
    fs::write(&file, odd_bytes()).expect("write");
    let mut wanted = Vec::new();
    for line in odd_bytes().split(|&byte| byte == b'\n') {
        wanted.extend([b"n1: ", line, b"\n"].concat());
    }
    let done = run(&mut exec("n1", ["cat", &text(&file)]));
    assert!(done.stdout == wanted, "{:?}", done.out());
    assert_eq!((done.code(), done.err()), (0, String::new()));
    let done = run(&mut exec(
        "n1",
        ["sh", "-c", "cat \"$0\" >&2", &text(&file)],
    ));
    assert!(done.stderr == wanted, "{:?}", done.err());
    assert_eq!((done.code(), done.out()), (0, String::new()));
}

#[test]
fn every_byte_passes_into_a_file_unchanged() {
    let directory = scratch();
    let (file, copy) = (directory.path().join("odd"), directory.path().join("copy"));
    fs::write(&file, odd_bytes()).expect("write");
    fs::write(&copy, "before\n").expect("write");
    let call = exec("n1", ["-N", "cat", &text(&file)]);
    let done = run(&mut through(
        "sh",
        &format!(r#""$@" >>'{}'"#, copy.display()),
        &call,
    ));
    assert_eq!(done.code(), 0);
    let wanted = [&b"before\n"[..], &odd_bytes(), b"\n"].concat();
    assert!(fs::read(&copy).expect("read") == wanted);
}

#[test]
fn stdout_of_a_node_goes_to_stdout_and_its_stderr_to_stderr() {
    let done = run(&mut exec(
        "n[1-3]",
        ["sh", "-c", "echo out %h; echo err %h >&2"],
    ));
    assert_eq!(
        done.sorted(),
        ["n1: out n1", "n2: out n2", "n3: out n3"].map(str::to_owned)
    );
    let mut err: Vec<String> = done.err().lines().map(str::to_owned).collect();
    err.sort();
    assert_eq!(err, ["n1: err n1", "n2: err n2", "n3: err n3"]);
    assert_eq!(done.code(), 0);
}

#[test]
fn a_node_that_prints_nothing_leaves_nothing() {
    let done = run(&mut exec("n[1-3]", ["true"]));
    assert_eq!((done.code(), done.out(), done.err()), Default::default());
    let done = run(&mut exec("n1", ["printf", ""]));
    assert_eq!((done.code(), done.out(), done.err()), Default::default());
}

#[test]
fn no_label_prints_the_lines_alone() {
    let done = run(&mut exec("n[1-2]", ["-N", "sh", "-c", "echo %h; echo"]));
    assert_eq!(done.sorted(), ["", "", "n1", "n2"].map(str::to_owned));
}

#[test]
fn a_node_typed_with_user_and_port_is_labelled_by_its_host_alone() {
    let done = run(&mut exec("bob@n1:2222,n2", ["echo", "%u"]));
    assert_eq!(done.sorted()[0], "n1: bob");
    let done = run(&mut exec("bob@n1,eve@n1", ["echo", "%u"]));
    assert_eq!(done.sorted(), ["bob@n1: bob", "eve@n1: eve"]);
}
