//! Which characters of a stranger's text may reach a terminal as they are. What may not is shown as an escape by whoever writes it.
//!
//! Control characters drive a terminal. Beyond them, some characters show nothing themselves and change how others look: bidirectional
//! controls turn text around, tags and zero-width characters hide text or split words, and a pile of combining marks keeps a terminal
//! busy and covers the lines above. Sources: Unicode 16, chapter 23 (special areas and format characters), and UTS 39.

use unicode_width::UnicodeWidthChar;

/// So many characters without a width may follow one another: more than the marks of any script, and the parts of an emoji, need.
pub const MARKS_MAX: usize = 8;

/// Whether a character is a control character or a format character, one that shows nothing itself and may change how its neighbours look
/// (bidirectional marks, zero-width characters, separators of lines, tags). No name may hold one.
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Whether it is one of those that no script needs for its words. The others, such as the joiners of Persian and of emoji, and the marks
/// that say only which way a letter runs, are part of what people write.
fn is_deceptive(c: char) -> bool {
    is_unseen(c)
        && !matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180b}'..='\u{180f}' | '\u{200c}'..='\u{200f}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Looks at a text, one character after the other.
#[derive(Debug, Default)]
pub struct Gate {
    /// So many without a width came just before.
    marks: usize,
}

impl Gate {
    /// Whether the next character of the text may reach a terminal as it is.
    pub fn passes(&mut self, c: char) -> bool {
        self.marks = match c.width() {
            Some(0) => self.marks + 1,
            _ => 0,
        };
        self.marks <= MARKS_MAX && !is_deceptive(c)
    }

    /// Something with a width stands before the next character.
    pub fn rest(&mut self) {
        self.marks = 0;
    }
}

/// Whether more marks stand on one character of this text than a terminal should be given.
pub fn has_piled_marks(text: &str) -> bool {
    !text.is_ascii() && {
        let mut gate = Gate::default();
        text.chars()
            .any(|c| !gate.passes(c) && gate.marks > MARKS_MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> String {
        let mut gate = Gate::default();
        text.chars().filter(|&c| gate.passes(c)).collect()
    }

    #[test]
    fn what_people_write_passes() {
        let texts = [
            "plain",
            "nai\u{308}ve",
            "表",
            // Persian with its non-joiner, Hebrew with a mark of direction, Tibetan and Vietnamese with several marks.
            "می\u{200c}خواهم",
            "שלום\u{200f}!",
            "བསྒྲུབས",
            "ệ",
            // Emoji of several parts, with their joiners and variation selectors.
            "👩\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👩",
        ];
        for text in texts {
            assert_eq!(kept(text), text);
        }
    }

    #[test]
    fn what_hides_or_turns_text_around_does_not() {
        for c in
            "\u{202e}\u{2066}\u{2028}\u{2029}\u{200b}\u{2060}\u{feff}\u{e0041}\u{1b}\u{9b}".chars()
        {
            assert_eq!(kept(&format!("a{c}b")), "ab", "{c:?}");
            assert!(is_unseen(c), "{c:?}");
        }
    }

    #[test]
    fn marks_pile_up_to_a_bound() {
        let pile = |count: usize| format!("a{}b", "\u{301}".repeat(count));
        assert_eq!(kept(&pile(MARKS_MAX)), pile(MARKS_MAX));
        assert_eq!(kept(&pile(10_000)), pile(MARKS_MAX));
        assert!(has_piled_marks(&pile(MARKS_MAX + 1)) && !has_piled_marks(&pile(MARKS_MAX)));
        assert_eq!(kept(&pile(5).repeat(10)), pile(5).repeat(10));
        // Joiners count as well.
        assert_eq!(kept(&"\u{200d}".repeat(20)), "\u{200d}".repeat(MARKS_MAX));
    }
}
