//! What the bench runs as a node: the program itself, started again with one of these words in front.

use clsh::hosts::{NodeSet, fold};
use nix::time::{ClockId, clock_gettime};
use std::io::{self, BufWriter, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A clock that two processes read alike.
pub fn now_nanos() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("a clock");
    Duration::from(now).as_nanos() as u64
}

/// `ticks COUNT WAIT_MS [EVERY_MS]`: one line a millisecond, or so often, that says when it was written.
pub fn ticks(words: &[String]) -> io::Result<()> {
    let number = |at: usize| words.get(at).map_or("1", String::as_str).parse();
    let [count, wait, every] = [0, 1, 2].map(|at| number(at).expect("a number"));
    sleep(Duration::from_millis(wait));
    let mut out = io::stdout();
    for _ in 0..count {
        sleep(Duration::from_millis(every));
        out.write_all(format!("{}\n", now_nanos()).as_bytes())?;
    }
    Ok(())
}

/// `lines COUNT SEED`: lines of 99 characters.
pub fn lines(words: &[String]) -> io::Result<()> {
    let count: u64 = words[0].parse().expect("a number");
    let mut line = [b"-".repeat(99), b"\n".to_vec()].concat();
    line[..words[1].len()].copy_from_slice(words[1].as_bytes());
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout());
    for at in 0..count {
        let mut rest = at;
        for place in (80..99).rev() {
            line[place] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        out.write_all(&line)?;
    }
    out.flush()
}

/// `names COUNT`: seconds to expand, to merge and to fold so many names.
pub fn names(words: &[String]) -> io::Result<()> {
    let count: usize = words[0].parse().expect("a number");
    let start = Instant::now();
    let mut set = NodeSet::new();
    set.add(&format!("n[1-{count}]")).expect("a list");
    let expanded = start.elapsed();
    set.add(&format!("n[{}-{count}]", count / 2))
        .expect("a list");
    let merged = start.elapsed() - expanded;
    assert_eq!(set.len(), count, "names");
    let folded = fold(set.iter().map(|node| node.name()));
    assert_eq!(folded, format!("n[1-{count}]"), "a fold");
    let folded = start.elapsed() - expanded - merged;
    let seconds = [expanded, merged, folded].map(|time| time.as_secs_f64());
    println!("{} {} {}", seconds[0], seconds[1], seconds[2]);
    Ok(())
}
