//! A node of a session as seen from the engine: a process with two pipes and a shell that takes commands line by line, answers in frames,
//! and can be made to do what a real one does rarely.

use super::random::Random;
use clsh::engine::{Event, Exit, Source};
use clsh::output::Stream;
use std::collections::VecDeque;

/// The line that makes a shell run the command it was given.
const RUN: &str = "\\command eval \"$_clsh_r\"";

/// What a node's shell runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    pub number: u32,
    /// Interrupted, and it heeds that.
    pub interrupted: bool,
}

/// One slot's process.
#[derive(Debug, Default)]
pub struct Far {
    pub alive: bool,
    /// Its shell said hello.
    pub up: bool,
    /// The process has ended so, and was not reaped.
    pub zombie: Option<Exit>,
    /// Bytes on their way, and whether the writers are gone.
    pub pipes: [Vec<u8>; 2],
    pub closed: [bool; 2],
    /// Not read to its end by clsh.
    pub open: [bool; 2],
    /// What runs was just being made when the interrupt came, and missed it.
    pub misses: bool,
    stdin: Vec<u8>,
    /// Lines on their way from the relay to the shell, which takes its time.
    queue: VecDeque<String>,
    pub running: Option<Running>,
    /// Commands its shell was given, in order.
    pub taken: Vec<String>,
    command: String,
    number: u32,
}

impl Far {
    pub fn started() -> Self {
        Self {
            alive: true,
            open: [true; 2],
            ..Self::default()
        }
    }

    pub fn write(&mut self, stream: Stream, text: &str) {
        if self.alive {
            self.pipes[stream as usize].extend_from_slice(text.as_bytes());
        }
    }

    pub fn hello(&mut self, nonce: &str) {
        for stream in Stream::BOTH {
            self.write(stream, &format!("\x1e{nonce} hello 5\x1e\n"));
        }
        self.up = true;
    }

    /// Its input, in whatever pieces it comes.
    pub fn reads(&mut self, bytes: &[u8], nonce: &str) {
        self.stdin.extend_from_slice(bytes);
        while let Some(end) = self.stdin.iter().position(|&byte| byte == b'\n') {
            let line: Vec<u8> = self.stdin.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line[..end]).into_owned();
            self.line(&line, nonce);
        }
    }

    /// The relay acts on an interrupt at once, whatever the shell does.
    fn line(&mut self, line: &str, nonce: &str) {
        let again = line == format!("{nonce} again");
        if line != nonce && !again {
            return self.queue.push_back(line.to_owned());
        }
        if let Some(running) = &mut self.running {
            running.interrupted |= again || !self.misses;
        }
    }

    /// The shell reads on, unless a command keeps it.
    pub fn step(&mut self, nonce: &str) {
        if self.running.is_some() || !self.alive {
            return;
        }
        let Some(line) = self.queue.pop_front() else {
            return;
        };
        if let Some(rest) = line.strip_prefix("_clsh_c='") {
            let (text, number) = rest.split_once("' _clsh_n=").expect("a number");
            (self.command, self.number) = (text.to_owned(), number.parse().expect("a number"));
        } else if line == RUN {
            let number = self.number;
            self.taken.push(std::mem::take(&mut self.command));
            self.running = Some(Running {
                number,
                interrupted: false,
            });
            self.write(Stream::Err, &format!("\x1e{nonce} start {number}\x1e\n"));
        } else {
            assert_eq!(line, "\\command eval _clsh_late");
        }
    }

    /// Whether there is something it was told to do.
    pub fn is_busy(&self) -> bool {
        let waits = self.queue.iter().any(|line| *line == RUN);
        self.alive && (waits || self.running.is_some())
    }

    /// The command is done: a last line that may lack its newline, and the frames.
    pub fn finish(&mut self, status: u8, last: &str, nonce: &str) {
        let Some(running) = self.running.take() else {
            return;
        };
        let status = if running.interrupted { 130 } else { status };
        let number = running.number;
        self.write(
            Stream::Out,
            &format!("{last}\x1e{nonce} done {number} {status}\x1e\n"),
        );
        self.write(
            Stream::Err,
            &format!("\x1e{nonce} done {number} {status}\x1e\n"),
        );
    }

    /// The shell ends by itself.
    pub fn leave(&mut self, status: u8, nonce: &str) {
        for stream in Stream::BOTH {
            self.write(stream, &format!("\x1e{nonce} exit {status}\x1e\n"));
        }
        self.die(Exit::Code(status));
    }

    /// The process is gone, and its writers with it.
    pub fn die(&mut self, exit: Exit) {
        if std::mem::take(&mut self.alive) {
            self.zombie = Some(exit);
            self.closed = [true; 2];
            self.running = None;
        }
    }

    /// The process is gone, but something in the background holds its pipes.
    pub fn die_held(&mut self) {
        self.die(Exit::Signal(9));
        self.closed = [false; 2];
    }

    /// What the kernel says to a read.
    pub fn read<'a>(
        &mut self,
        source: Source,
        limit: usize,
        r: &mut Random,
        buffer: &'a mut Vec<u8>,
    ) -> Event<'a> {
        let pipe = &mut self.pipes[source.stream as usize];
        buffer.clear();
        if pipe.is_empty() {
            return match self.closed[source.stream as usize] {
                true => Event::Eof { source },
                false => Event::Dry { source },
            };
        }
        // A pipe may hold only part of it yet.
        let count = r.between(1, pipe.len().min(limit));
        buffer.extend(pipe.drain(..count));
        Event::Bytes {
            source,
            bytes: buffer,
            dry: false,
        }
    }
}
