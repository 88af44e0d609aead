//! How it stands: the line for SIGUSR1, and the progress line below all others.
//!
//! The progress line changes when something happened, and not more often than can be read: nothing wakes clsh for it otherwise.

use super::{Engine, Slot, Time};
use crate::limits::{LONGEST_SHOWN, PROGRESS_PAUSE};
use crate::output::{Footer, Stream};
use crate::report;
use std::time::Duration;

/// When the progress line is drawn next.
#[derive(Debug, Default)]
pub struct Drawing {
    /// Not before this.
    from: Time,
    /// What stands there is not what it should be.
    due: bool,
}

impl Engine {
    /// The nodes that run longest, and how long; the first of them first.
    fn longest(&self) -> Vec<(Duration, &str)> {
        let running = |(slot, label): (&Slot, _)| match slot {
            Slot::Live(node) => Some((self.now.saturating_sub(node.started), label)),
            Slot::Waiting | Slot::Done(_) => None,
        };
        let labels = self.plan.labels.iter().map(|label| &**label);
        let mut longest = Vec::with_capacity(LONGEST_SHOWN + 1);
        for (took, label) in self.slots.iter().zip(labels).filter_map(running) {
            let place = longest.partition_point(|&(longer, _)| longer >= took);
            if place < LONGEST_SHOWN {
                longest.insert(place, (took, label));
                longest.truncate(LONGEST_SHOWN);
            }
        }
        longest
    }

    pub(super) fn status(&self) -> String {
        report::status(&self.counts(), self.window.waiting(), &self.longest())
    }

    fn counts(&self) -> report::Standing<'_> {
        let connecting = self.connecting.len();
        report::Standing {
            done: self.done,
            total: self.slots.len(),
            failed: self.failed,
            connecting,
            running: self.window.running().saturating_sub(connecting),
            slowest: Vec::new(),
        }
    }

    /// Something happened that the progress line tells.
    pub(super) fn progressed(&mut self) {
        self.drawing.due |= self.plan.progress.is_some();
    }

    /// When the progress line has to be drawn.
    pub(super) fn draw_at(&self) -> Option<Time> {
        let progress = self.plan.progress.filter(|_| self.drawing.due)?;
        Some(self.drawing.from.max(progress.after))
    }

    /// Draws it if it is time.
    pub(super) fn draw(&mut self) {
        if self.draw_at().is_none_or(|time| time > self.now) {
            return;
        }
        let columns = self.plan.progress.map_or(0, |progress| progress.columns);
        self.drawing = Drawing {
            from: self.now + PROGRESS_PAUSE,
            due: false,
        };
        let footer = (self.done < self.slots.len()).then(|| {
            let longest = self.longest();
            let standing = report::Standing {
                slowest: longest.iter().map(|&(_, label)| label).collect(),
                ..self.counts()
            };
            // One column less: some terminals go on to the next row after the last one.
            let text = report::progress(&standing, columns.saturating_sub(1));
            Footer {
                stream: Stream::Err,
                draw: text.into_bytes(),
                erase: b"\r\x1b[K".to_vec(),
            }
        });
        self.output.set_footer(footer);
    }

    pub(super) fn resized(&mut self, columns: usize) {
        if let Some(progress) = &mut self.plan.progress {
            progress.columns = columns;
            self.progressed();
        }
    }

    /// Takes the progress line away, until something is told again.
    pub(super) fn hide_progress(&mut self) {
        if self.plan.progress.is_some() {
            self.output.set_footer(None);
            self.progressed();
        }
    }
}
