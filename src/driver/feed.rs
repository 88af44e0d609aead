//! clsh's stdin on its way to the nodes, and the files that keep what is needed later.

use super::{Driver, KEY_INPUT, key};
use crate::engine::{Event, Spool, Supply};
use crate::sys::{self, Got, Input, Scratch, Written};
use std::io;
use std::os::fd::AsFd;

/// What the nodes are given.
pub struct Feed {
    input: Input,
    /// Where it begins, when it is a file that is read anywhere.
    start: Option<u64>,
}

impl Feed {
    /// From clsh's stdin.
    pub fn new(input: Input, start: Option<u64>) -> Self {
        Self { input, start }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64, spool: &Scratches) -> io::Result<usize> {
        match self.start {
            // No node must take a part of it for all of it.
            Some(start) => match self.input.read_at(buffer, start + offset)? {
                0 => Err(io::Error::other("it has become shorter")),
                count => Ok(count),
            },
            None => spool
                .read(Spool::Input, buffer, offset)
                .map(|()| buffer.len()),
        }
    }
}

/// The unlinked files of a run, made when they are needed.
#[derive(Default)]
pub struct Scratches([Option<Scratch>; 2]);

impl Scratches {
    fn write(&mut self, spool: Spool, bytes: &[u8], offset: u64) -> io::Result<()> {
        let scratch = &mut self.0[spool as usize];
        if scratch.is_none() {
            *scratch = Some(Scratch::new()?);
        }
        match scratch {
            Some(scratch) => scratch.write_at(bytes, offset),
            None => Ok(()),
        }
    }

    fn read(&self, spool: Spool, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        match &self.0[spool as usize] {
            Some(scratch) => scratch.read_at(buffer, offset),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Driver<'_> {
    /// Reads stdin once.
    pub(super) fn read_input(&mut self) {
        let Some(feed) = &self.feed else { return };
        match feed.input.read(&mut self.buffer) {
            Ok(Got::Bytes(count)) => self.engine.on_event(Event::StdinBytes {
                bytes: &self.buffer[..count],
            }),
            Ok(Got::Dry) => self.engine.on_event(Event::StdinDry),
            Ok(Got::Eof) => self.engine.on_event(Event::StdinEnded),
            Err(error) => {
                let error = sys::error_text(&error);
                self.engine.on_event(Event::StdinFailed { error: &error });
            }
        }
    }

    /// Tells the engine what a node is sent whose bootstrap is ready.
    pub(super) fn give(&mut self, node: u32, stage: u8) {
        let rank = match &self.desk {
            Some(desk) => desk.owner(node).ok(),
            None => Some(node as usize),
        };
        let Some(rank) = rank else { return };
        if let Some(target) = self.job.nodes.get(rank) {
            let texts = self.invocation.stage(usize::from(stage), target, rank);
            self.engine.give(node, texts.into_iter().flatten());
        }
    }

    /// Writes once what a node is to read.
    pub(super) fn feed(&mut self, node: u32) {
        let Some(Some(link)) = self.links.get_mut(node as usize) else {
            return;
        };
        let Some(lifeline) = &link.lifeline else {
            return self.engine.on_event(Event::InputClosed { node });
        };
        let written = match (self.engine.supply(node), &self.feed) {
            (Supply::Bytes(bytes), _) => sys::write(lifeline, bytes),
            (Supply::Filed { offset, bytes }, Some(feed)) => {
                let buffer = &mut self.buffer[..bytes];
                match feed.read_at(buffer, offset, &self.scratches) {
                    Ok(count) => sys::write(lifeline, &buffer[..count]),
                    Err(error) => {
                        let error = sys::error_text(&error);
                        return self.engine.on_event(Event::StdinFailed { error: &error });
                    }
                }
            }
            _ => return,
        };
        self.engine.on_event(match written {
            Written::Bytes(bytes) => Event::Fed { node, bytes },
            Written::Blocked => {
                // Most nodes take all they get at once, and are never watched.
                let key = key(node, link.start, KEY_INPUT);
                if !link.watched {
                    link.watched = self.reactor.watch_writes(lifeline.as_fd(), key).is_ok();
                }
                Event::InputBlocked { node }
            }
            Written::Closed | Written::Failed(_) => Event::InputClosed { node },
        });
    }

    /// Writes what is unspooled into its file.
    pub(super) fn spool(&mut self, spool: Spool) {
        loop {
            let (offset, bytes) = self.engine.unspooled(spool);
            if bytes.is_empty() {
                return;
            }
            let result = self.scratches.write(spool, bytes, offset);
            let bytes = bytes.len();
            match result {
                Ok(()) => self.engine.on_event(Event::Spooled { spool, bytes }),
                Err(error) => return self.spool_failed(spool, &error),
            }
        }
    }

    /// Reads a part of the file of output.
    pub(super) fn fetch(&mut self, offset: u64, bytes: usize) {
        let buffer = &mut self.buffer[..bytes];
        match self.scratches.read(Spool::Output, buffer, offset) {
            Ok(()) => self.engine.on_event(Event::Fetched { bytes: buffer }),
            Err(error) => {
                let error = sys::error_text(&error);
                self.engine.on_event(Event::FetchFailed { error: &error });
            }
        }
    }

    fn spool_failed(&mut self, spool: Spool, error: &io::Error) {
        let error = sys::error_text(error);
        self.engine.on_event(Event::SpoolFailed {
            spool,
            error: &error,
        });
    }
}
