//! Processes: they follow their scripts, block in full pipes, obey signals or do not, and die late.

use super::{Happening, Kernel};
use crate::script::Step;
use clsh::engine::{Exit, Order, Source, Time};
use clsh::output::Stream;
use std::collections::VecDeque;
use std::time::Duration;

/// The longest way from a freed pipe to the writer that waited for it.
const WAKE_MAX: Duration = Duration::from_micros(200);

#[derive(Debug)]
pub enum Life {
    Alive,
    Zombie(Exit),
    Gone,
}

/// One process: what it does, what it holds, how it stands.
#[derive(Debug)]
pub struct Process {
    pub node: usize,
    pub script: VecDeque<Step>,
    pub on_term: Option<Vec<Step>>,
    pub dies_after: Time,
    pub holds: [bool; 2],
    /// Blocked in a write.
    pub blocked: Option<Stream>,
    pub holds_input: bool,
    /// Waits for input.
    pub reading: bool,
    pub stopped: bool,
    /// Its turn came while it was stopped.
    pub late: bool,
    /// SIGKILL is on its way.
    pub doomed: bool,
    /// Counts changes of script: what was planned before is void.
    pub epoch: u32,
    pub life: Life,
    /// Starts to act when this process is gone.
    pub background: Option<usize>,
}

impl Kernel {
    pub fn signal(&mut self, pid: i32, order: Order) {
        let index = (pid - pid_of(0)) as usize;
        let now = self.now;
        let process = &mut self.processes[index];
        if !matches!(process.life, Life::Alive) || process.doomed {
            return;
        }
        match order {
            Order::Stop => process.stopped = true,
            Order::Continue => self.go_on(index),
            Order::Terminate => {
                if let Some(script) = process.on_term.take() {
                    process.script = script.into();
                    process.epoch += 1;
                    (process.blocked, process.reading) = (None, false);
                    process.late = true;
                }
                self.go_on(index);
            }
            Order::Interrupt => unreachable!("a one-shot run interrupts nobody"),
            Order::Kill => {
                process.script = [Step::Exit(Exit::Signal(9))].into();
                (process.doomed, process.stopped, process.blocked) = (true, false, None);
                process.reading = false;
                process.epoch += 1;
                let at = now + process.dies_after;
                self.wake(index, at);
            }
        }
    }

    /// A process acts until it waits for something.
    pub fn run(&mut self, index: usize) {
        loop {
            let process = &mut self.processes[index];
            if process.stopped {
                process.late = true;
                return;
            }
            match process.script.pop_front() {
                Some(Step::Wait(time)) => return self.wake(index, self.now + time),
                Some(Step::Sleep) => return,
                Some(Step::Write(stream, bytes)) => {
                    let slot = self.nodes[process.node].as_mut();
                    let pipe = &mut slot.expect("started").1[stream as usize];
                    if !pipe.open {
                        return self.end(index, Exit::Signal(13));
                    }
                    let count = pipe.write(&bytes);
                    if count < bytes.len() {
                        let rest = Step::Write(stream, bytes[count..].to_vec());
                        process.script.push_front(rest);
                        process.blocked = Some(stream);
                        return;
                    }
                }
                Some(step @ (Step::Take(_) | Step::Drink(_) | Step::Drain(..))) => {
                    if !self.take(index, step) {
                        return;
                    }
                }
                Some(Step::CloseInput) => self.release_input(index),
                Some(Step::Close(stream)) => self.release(index, stream),
                Some(Step::Exit(exit)) => return self.end(index, exit),
                None => return self.end(index, Exit::Code(0)),
            }
        }
    }

    fn end(&mut self, index: usize, exit: Exit) {
        for stream in Stream::BOTH {
            self.release(index, stream);
        }
        self.release_input(index);
        let node = self.processes[index].node;
        let slot = self.nodes[node].as_mut();
        let (own, pipes) = slot.expect("started");
        if *own != index {
            self.processes[index].life = Life::Gone;
            return;
        }
        for pipe in pipes {
            pipe.before_death = Some(pipe.written.len());
        }
        self.processes[index].life = Life::Zombie(exit);
        self.child_ended = true;
        if let Some(background) = self.processes[index].background {
            self.wake(background, self.now);
        }
    }

    fn release(&mut self, index: usize, stream: Stream) {
        let process = &mut self.processes[index];
        if std::mem::take(&mut process.holds[stream as usize]) {
            let slot = self.nodes[process.node].as_mut();
            slot.expect("started").1[stream as usize].release();
        }
    }

    pub fn go_on(&mut self, index: usize) {
        let process = &mut self.processes[index];
        process.stopped = false;
        if std::mem::take(&mut process.late) {
            self.wake(index, self.now);
        }
    }

    pub fn wake(&mut self, process: usize, at: Time) {
        let epoch = self.processes[process].epoch;
        self.plan(at, Happening::Run { process, epoch });
    }

    pub fn wake_writers(&mut self, source: Source) {
        for index in 0..self.processes.len() {
            let process = &mut self.processes[index];
            if process.node == source.node as usize && process.blocked == Some(source.stream) {
                process.blocked = None;
                let at = self.now + self.random.time(WAKE_MAX);
                self.wake(index, at);
            }
        }
    }
}

/// Small numbers look too much like ranks.
pub fn pid_of(index: usize) -> i32 {
    1000 + index as i32
}
