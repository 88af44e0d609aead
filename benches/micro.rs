//! How fast the hot parts are, each by itself: `cargo bench --bench micro`, or `cargo bench --bench micro -- fold` for some of them.
//!
//! Text goes through in the portions and calls of a run. Names and text are the same in every run.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};

fn main() {
    divan::main();
}

/// What the text of a bench looks like.
#[derive(Debug, Clone, Copy)]
enum Text {
    /// Lines of 6 bytes.
    Short,
    /// Lines of 1 to 200 bytes.
    Mixed,
    /// Lines of 2,000 bytes.
    Long,
}

const TEXTS: [Text; 3] = [Text::Short, Text::Mixed, Text::Long];
const TEXT_BYTES: usize = 4 * 1024 * 1024;
const READ_BYTES: usize = 64 * 1024;

impl Text {
    /// [`TEXT_BYTES`] of it, newlines counted; only the last line may be shorter than the others.
    fn bytes(self) -> Vec<u8> {
        let mut random = Random(1);
        let mut text = Vec::with_capacity(TEXT_BYTES + 2000);
        while text.len() < TEXT_BYTES {
            let bytes = match self {
                Self::Short => 6,
                Self::Mixed => 1 + random.below(200),
                Self::Long => 2000,
            };
            text.extend((1..bytes).map(|at| b'a' + (at % 26) as u8));
            text.push(b'\n');
        }
        text.truncate(TEXT_BYTES - 1);
        text.push(b'\n');
        text
    }
}

/// Numbers that look random and are the same every time.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// Line assembly, and lines with their labels into the queue.
mod lines {
    use super::*;
    use clsh::output::{End, Line, Lines, Output, Sinks, Stream, Style};

    /// Nothing but the cutting into lines, as where each of them goes somewhere by itself.
    #[divan::bench(args = TEXTS)]
    fn assembled(bencher: Bencher, text: Text) {
        let text = text.bytes();
        bencher
            .counter(BytesCount::of_slice(&text))
            .bench_local(|| {
                let mut lines = Lines::default();
                for read in text.chunks(READ_BYTES) {
                    lines.feed(read, None, |line| {
                        black_box(line);
                    });
                }
            });
    }

    /// From the pipe's bytes to what is written on stdout.
    #[divan::bench(args = TEXTS)]
    fn prefixed(bencher: Bencher, text: Text) {
        whole(bencher, text, READ_BYTES, false);
    }

    /// The same on a terminal.
    #[divan::bench(args = TEXTS)]
    fn prefixed_and_made_harmless(bencher: Bencher, text: Text) {
        whole(bencher, text, READ_BYTES, true);
    }

    /// The same where a node's pipe gives less at a time.
    #[divan::bench(args = [100, 4096, 65536])]
    fn prefixed_in_reads_of(bencher: Bencher, bytes: usize) {
        whole(bencher, Text::Mixed, bytes, false);
    }

    fn whole(bencher: Bencher, text: Text, read_bytes: usize, harmless: bool) {
        let text = text.bytes();
        let style = Style {
            color: false,
            harmless,
        };
        let mut output = Output::new(Sinks {
            styles: [style; 2],
            merged: false,
            label: true,
            columns: 0,
        });
        let prefix = output.prefix(Stream::Out, 0, "node17");
        bencher
            .counter(BytesCount::of_slice(&text))
            .bench_local(|| {
                let mut lines = Lines::default();
                for read in text.chunks(read_bytes) {
                    lines.feed_together(read, None, |Line { text, end }| match end {
                        End::Lines => output.lines(Stream::Out, &prefix, text),
                        End::Newline | End::Open | End::Cut => {
                            output.line(Stream::Out, &prefix, text);
                        }
                    });
                    if output.is_high() {
                        let written = black_box(output.pending(Stream::Out)).len();
                        output.consume(Stream::Out, written);
                    }
                }
            });
    }
}

/// Where text may hold the wrapper's frames.
mod frames {
    use super::*;
    use clsh::output::Lines;
    use clsh::remote::{MARK, Nonce};

    /// What stands at the end of lines.
    #[derive(Debug, Clone, Copy)]
    enum Marks {
        /// Nothing.
        None,
        /// A mark before the newline of each line.
        Bare,
        /// A whole frame of another run.
        Foreign,
    }

    #[divan::bench(args = [Marks::None, Marks::Bare, Marks::Foreign])]
    fn looked_for(bencher: Bencher, marks: Marks) {
        let (nonce, other) = (Nonce::new([7; 16]), Nonce::new([8; 16]));
        let end = match marks {
            Marks::None => "\n".to_owned(),
            Marks::Bare => "\x1e\n".to_owned(),
            Marks::Foreign => format!("\x1e{} exit 0\x1e\n", other.as_str()),
        };
        let text = Text::Mixed.bytes();
        let text = String::from_utf8_lossy(&text)
            .replace('\n', &end)
            .into_bytes();
        bencher
            .counter(BytesCount::of_slice(&text))
            .bench_local(|| {
                let mut lines = Lines::default();
                let mut found = 0_usize;
                for read in text.chunks(READ_BYTES) {
                    let plain = memchr::memchr(MARK, read).is_none();
                    if plain {
                        lines.feed_together(read, Some(&nonce), |line| {
                            black_box(line);
                        });
                    } else {
                        lines.feed(read, Some(&nonce), |line| {
                            let candidate = Nonce::is_candidate(line.text);
                            found += usize::from(candidate && nonce.find(line.text).is_some());
                        });
                    }
                }
                found
            });
    }
}

/// Lines as objects.
mod json {
    use super::*;
    use clsh::output::{Stream, json};

    /// What stands in the lines.
    #[derive(Debug, Clone, Copy)]
    enum Inside {
        Ascii,
        /// A character in eight needs an escape.
        Escapes,
        Umlauts,
        /// No UTF-8.
        Binary,
    }

    #[divan::bench(args = [Inside::Ascii, Inside::Escapes, Inside::Umlauts, Inside::Binary])]
    fn objects(bencher: Bencher, inside: Inside) {
        let piece: &[u8] = match inside {
            Inside::Ascii => b"a line, ",
            Inside::Escapes => b"\"quoted ",
            Inside::Umlauts => "schön, ä".as_bytes(),
            Inside::Binary => b"\xff\0\x01 abc\xfe",
        };
        let line = piece.repeat(10);
        let lines = TEXT_BYTES / line.len();
        let prefix = json::prefix("node17", Stream::Out);
        let mut out = Vec::new();
        bencher
            .counter(BytesCount::new(lines * line.len()))
            .bench_local(|| {
                for _ in 0..lines {
                    if out.len() > READ_BYTES {
                        out.clear();
                    }
                    json::line(&prefix, black_box(&line), false, &mut out);
                }
            });
    }
}

/// What is kept until it is shown.
mod store {
    use super::*;
    use clsh::output::Store;

    const NODES: usize = 8;

    #[divan::bench(sample_count = 20, args = [true, false])]
    fn kept_of_8_nodes_that_are_equal(bencher: Bencher, equal: bool) {
        let texts: Vec<Vec<u8>> = (0..NODES)
            .map(|node| {
                let mut text = Text::Mixed.bytes();
                // The digest of a stream is that of all before it: these differ from the first chunk on.
                text[0] = if equal { b'x' } else { node as u8 };
                text
            })
            .collect();
        bencher
            .counter(BytesCount::new(NODES * TEXT_BYTES))
            .bench_local(|| {
                let mut store = Store::new(7, NODES);
                let mut strands: Vec<_> = (0..NODES).map(|_| store.strand()).collect();
                for from in (0..TEXT_BYTES).step_by(READ_BYTES) {
                    for (strand, text) in strands.iter_mut().zip(&texts) {
                        store.append(strand, &text[from..from + READ_BYTES]);
                    }
                }
                for strand in strands {
                    black_box(store.finish(strand));
                }
                store
            });
    }
}

/// From words to nodes and back.
mod hosts {
    use super::*;
    use clsh::hosts::{self, Node, NodeSet, add_hostfile};

    /// How a name is made from its number and the count of all.
    #[derive(Debug, Clone, Copy)]
    enum Names {
        Plain,
        Shuffled,
        Padded,
        /// In two dimensions.
        Grid,
    }

    const ALL: [(Names, usize); 8] = [
        (Names::Plain, 10_000),
        (Names::Plain, 1_000_000),
        (Names::Shuffled, 10_000),
        (Names::Shuffled, 1_000_000),
        (Names::Padded, 10_000),
        (Names::Padded, 1_000_000),
        (Names::Grid, 10_000),
        (Names::Grid, 1_000_000),
    ];
    const RANGES: [(Names, usize); 6] = [ALL[0], ALL[1], ALL[4], ALL[5], ALL[6], ALL[7]];

    fn list(names: Names, count: usize) -> String {
        let side = count.isqrt();
        match names {
            Names::Plain | Names::Shuffled => format!("n[1-{count}]"),
            Names::Padded => format!("n[00000001-{count:08}]"),
            Names::Grid => format!("r[1-{side}]n[1-{side}]"),
        }
    }

    fn nodes(list: &str) -> NodeSet {
        let mut set = NodeSet::new();
        set.add(list).expect("a list");
        set
    }

    fn nodes_in_order(names: Names, count: usize) -> Vec<Node> {
        let mut nodes = nodes(&list(names, count)).into_nodes();
        if matches!(names, Names::Shuffled) {
            let mut random = Random(2);
            for at in (1..nodes.len()).rev() {
                nodes.swap(at, random.below(at + 1));
            }
        }
        nodes
    }

    #[divan::bench(sample_count = 15, args = RANGES)]
    fn expanded(bencher: Bencher, (names, count): (Names, usize)) {
        let list = list(names, count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| nodes(black_box(&list)));
    }

    /// Three lists, in which every second name is there twice.
    #[divan::bench(sample_count = 15, args = [10_000, 1_000_000])]
    fn merged(bencher: Bencher, count: usize) {
        let (third, half) = (count / 3, count / 2);
        let list = format!("n[1-{half}],n[{third}-{count}],n[1-{count}/3]");
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| nodes(black_box(&list)));
    }

    /// Half of the nodes taken out.
    #[divan::bench(sample_count = 15, args = [10_000, 1_000_000])]
    fn excluded(bencher: Bencher, count: usize) {
        let unwanted = format!("n[1-{count}/2]");
        bencher
            .counter(ItemsCount::new(count))
            .with_inputs(|| nodes(&list(Names::Plain, count)))
            .bench_local_values(|mut set| {
                set.exclude(&unwanted).expect("a list");
                set
            });
    }

    #[divan::bench(sample_count = 15, args = [10_000, 1_000_000])]
    fn read_from_a_hostfile(bencher: Bencher, count: usize) {
        let text: String = (1..=count).map(|number| format!("n{number}\n")).collect();
        bencher.counter(ItemsCount::new(count)).bench_local(|| {
            let mut set = NodeSet::new();
            add_hostfile(&mut set, black_box(text.as_bytes())).expect("a hostfile");
            set
        });
    }

    #[divan::bench(sample_count = 15, args = ALL)]
    fn folded(bencher: Bencher, (names, count): (Names, usize)) {
        let nodes = nodes_in_order(names, count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| hosts::fold(nodes.iter().map(Node::name)));
    }

    #[divan::bench(sample_count = 15, args = [10_000, 1_000_000])]
    fn labelled(bencher: Bencher, count: usize) {
        let nodes = nodes_in_order(Names::Plain, count);
        bencher
            .counter(ItemsCount::new(count))
            .bench_local(|| hosts::labels(black_box(&nodes)));
    }
}

/// Processes.
mod spawn {
    use super::*;
    use clsh::sys::{Ends, Guardian, Spawner, Stdin, descriptors, find_program};
    use nix::sys::wait::waitpid;
    use nix::unistd::Pid;
    use std::fs::File;

    /// `true` started and reaped, one after the other, while clsh holds so many descriptors of other nodes.
    #[divan::bench(sample_count = 10, sample_size = 50, args = [0, 1000, 4000])]
    fn of_true_beside_open_descriptors(bencher: Bencher, open: usize) {
        let files = descriptors(open as u64 + 64);
        assert!(
            files.open + open as u64 + 64 <= files.limit,
            "no room for {open} descriptors"
        );
        let held: Vec<File> = (0..open)
            .map(|_| File::open("/dev/null").expect("a null device"))
            .collect();
        let mut spawner = Spawner::new(files.inherited, Guardian::new()).expect("a spawner");
        let program = find_program(b"true").expect("a program");
        let ends = Ends {
            stdin: Stdin::Null,
            piped: true,
            foreground: false,
            session: true,
            bound: true,
        };
        bencher.counter(ItemsCount::new(1_u32)).bench_local(|| {
            let child = spawner.spawn(&program, &[b"true".to_vec()], &[], ends);
            let child = child.expect("a child");
            waitpid(Pid::from_raw(child.pid), None)
        });
        drop(held);
    }
}
