//! One file a node and stream, in directories of the user's.

use super::setup::{FLAGS, unwritable};
use super::{Driver, Refusal, shown};
use crate::engine::{Event, Source};
use crate::output::Stream;
use crate::sys::{self, Directory};
use std::fs::File;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;

/// Where the files are made.
#[derive(Default)]
pub struct Store {
    pub directories: [Option<Directory>; 2],
}

const SUFFIXES: [&str; 2] = [".out", ".err"];

impl Driver<'_> {
    /// Removes what an earlier run left for these nodes, because a node that is not started now would seem to have said it. To be called
    /// when nothing else can refuse the run any more.
    ///
    /// # Errors
    /// A file that can't be removed.
    pub(super) fn clear_files(&self) -> Result<(), Refusal> {
        for stream in Stream::BOTH {
            if let Some(directory) = &self.store.directories[stream as usize] {
                for label in self.engine.labels() {
                    let removed = directory.remove(&file_name(label, stream));
                    let path = &self.job.files[stream as usize];
                    removed.map_err(|error| unwritable(FLAGS[stream as usize], path, error))?;
                }
            }
        }
        Ok(())
    }

    /// The files of a node that starts, `again` or for the first time.
    pub(super) fn open_files(&mut self, node: u32, again: bool) -> [Option<File>; 2] {
        Stream::BOTH.map(|stream| {
            let directory = self.store.directories[stream as usize].as_ref()?;
            let name = self.file_name(Source { node, stream });
            match directory.create(&name, again) {
                Ok(file) => Some(file),
                Err(error) => {
                    self.store_failed(Source { node, stream }, &error);
                    None
                }
            }
        })
    }

    /// Appends to a node's file.
    pub(super) fn store(&mut self, source: Source, bytes: usize) {
        let text = self.engine.unstored().get(..bytes).unwrap_or_default();
        let link = self.links.get_mut(source.node as usize);
        let file = link
            .and_then(Option::as_mut)
            .map(|link| &mut link.files[source.stream as usize]);
        // What was to come after a failed write is not kept.
        let result = match file {
            Some(slot) => match slot.as_mut().map(|file| file.write_all(text)) {
                Some(Err(error)) => {
                    *slot = None;
                    Err(error)
                }
                _ => Ok(()),
            },
            None => Ok(()),
        };
        self.engine.on_event(Event::Stored { bytes });
        if let Err(error) = result {
            self.store_failed(source, &error);
        }
    }

    fn file_name(&self, source: Source) -> String {
        let label = &self.engine.labels()[source.node as usize];
        file_name(label, source.stream)
    }

    fn store_failed(&mut self, source: Source, error: &io::Error) {
        let Some(directory) = &self.store.directories[source.stream as usize] else {
            return;
        };
        let file = directory.path(&self.file_name(source));
        self.engine.on_event(Event::StoreFailed {
            node: source.node,
            file: &shown(file.as_os_str().as_bytes()),
            error: &sys::error_text(error),
        });
    }
}

fn file_name(label: &str, stream: Stream) -> String {
    format!("{label}{}", SUFFIXES[stream as usize])
}
