//! What a terminal adds to lines, taken off again.

/// More carriage returns in a row than any terminal puts before a newline.
const HELD_MAX: usize = 64;

/// Takes the carriage returns off before each newline of a stream that comes in pieces. Those at its very end go, too.
#[derive(Debug, Clone, Copy, Default)]
pub struct Returns {
    /// So many ended the last piece; what follows decides.
    held: usize,
}

impl Returns {
    /// The next piece, without them.
    pub fn strip(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.held + bytes.len());
        for &byte in bytes {
            match byte {
                b'\r' if self.held < HELD_MAX => self.held += 1,
                b'\n' => self.held = 0,
                _ => out.extend(std::iter::repeat_n(b'\r', std::mem::take(&mut self.held))),
            }
            if byte != b'\r' || self.held == 0 {
                out.push(byte);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_those_before_a_newline_go_however_the_stream_is_cut(
            pieces in prop::collection::vec(prop::collection::vec(prop::sample::select(b"\r\nab".to_vec()), 0..6), 0..6)
        ) {
            let mut returns = Returns::default();
            let out: Vec<u8> = pieces.iter().flat_map(|piece| returns.strip(piece)).collect();
            let text = String::from_utf8(pieces.concat()).expect("ASCII");
            let lines: Vec<&str> = text.split('\n').map(|line| line.trim_end_matches('\r')).collect();
            let expected = lines.join("\n").into_bytes();
            prop_assert_eq!(out, expected);
        }
    }

    #[test]
    fn too_many_are_no_line_s_end() {
        let many = vec![b'\r'; 1000];
        let mut returns = Returns::default();
        let out = [returns.strip(&many), returns.strip(b"x\n")].concat();
        assert_eq!(out, [&many[..], b"x\n"].concat());
    }
}
