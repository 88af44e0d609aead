//! What stands below all lines of a terminal: the prompt that is being typed at.
//!
//! Invariant: between `lift` and `lay` nothing of it is on the screen, so a line never lands in it.

use super::Stream;

/// Something that stays at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Footer {
    /// Where it stands.
    pub stream: Stream,
    /// What draws it, from column 0 of an empty row.
    pub draw: Vec<u8>,
    /// What takes it away again, back to there.
    pub erase: Vec<u8>,
}

/// The footer of a run and whether it is drawn.
#[derive(Debug, Default)]
pub struct Bottom {
    footer: Option<Footer>,
    sink: usize,
    drawn: bool,
}

impl Bottom {
    /// Whether this is what should stand there already.
    pub fn is(&self, footer: &Option<Footer>) -> bool {
        self.footer == *footer
    }

    /// Another footer, or none. The one before must be lifted.
    pub fn set(&mut self, footer: Option<Footer>, sink: usize) {
        (self.footer, self.sink) = (footer, sink);
    }

    /// The footer stands differently on the screen by now, and is taken away so.
    pub fn reshape(&mut self, erase: Vec<u8>) {
        if let Some(footer) = &mut self.footer {
            footer.erase = erase;
        }
    }

    /// Takes the footer off the screen if it stands on this sink.
    pub fn lift(&mut self, sink: usize, out: &mut Vec<u8>) {
        if self.drawn
            && sink == self.sink
            && let Some(footer) = &self.footer
        {
            out.extend_from_slice(&footer.erase);
            self.drawn = false;
        }
    }

    /// Something else has written on the screen meanwhile: where it stood means nothing any more.
    pub fn forget(&mut self) {
        self.drawn = false;
    }

    /// The sink on which it should stand and does not.
    pub fn missing(&self) -> Option<usize> {
        (self.footer.is_some() && !self.drawn).then_some(self.sink)
    }

    /// Forgets it, drawn as it is. Gives the sink it stands on.
    pub fn keep(&mut self) -> Option<usize> {
        self.drawn = false;
        self.footer.take().map(|_| self.sink)
    }

    /// Draws it.
    pub fn lay(&mut self, out: &mut Vec<u8>) {
        if let Some(footer) = &self.footer {
            out.extend_from_slice(&footer.draw);
            self.drawn = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::output::{Footer, Output, Sinks, Stream, Style};

    #[test]
    fn lines_go_above_the_footer() {
        let mut output = Output::new(Sinks {
            styles: [Style::default(); 2],
            merged: true,
            label: true,
            columns: 0,
        });
        let footer = |draw: &str| Footer {
            stream: Stream::Out,
            draw: draw.as_bytes().to_vec(),
            erase: b"<".to_vec(),
        };
        output.set_footer(Some(footer("one")));
        output.lay_footer([false; 2]);
        output.lay_footer([false; 2]);
        output.line(Stream::Err, b"n: ", b"line");
        output.say("word\n");
        output.lay_footer([false; 2]);
        for _ in 0..3 {
            output.set_footer(Some(footer("two")));
            output.lay_footer([false; 2]);
        }
        output.set_footer(None);
        output.lay_footer([false; 2]);
        // What could not be written now would be old by then.
        output.set_footer(Some(footer("three")));
        output.lay_footer([true; 2]);
        output.set_footer(None);
        let text = String::from_utf8_lossy(output.pending(Stream::Out)).into_owned();
        assert_eq!(text, "one<n: line\nword\none<two<");
    }
}
