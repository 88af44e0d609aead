//! What is said to a session's shell through the channel: whole lines, which the relay of `session.sh` passes on, but for the one that
//! is an interrupt. Invariant: a command ends with a `Done` frame on both streams whatever stands in it, unless it ends the shell.

use super::frames::Nonce;

/// The lines that make the shell run `text` as command `number`. It may hold any byte but NUL; it sees an empty stdin, and neither of the
/// descriptors that carry the frames.
pub fn command(number: u32, text: &[u8]) -> Vec<u8> {
    let mut lines = b"_clsh_c='".to_vec();
    for &byte in text {
        match byte {
            b'\'' => lines.extend_from_slice(br"'\''"),
            byte => lines.push(byte),
        }
    }
    // The outer eval is what an interrupt ends when it comes just before or behind the command's own.
    lines
        .extend_from_slice(format!("' _clsh_n={number}\n\\command eval \"$_clsh_r\"\n").as_bytes());
    lines
}

/// The lines that interrupt the command which runs.
pub fn interrupt(nonce: &Nonce) -> Vec<u8> {
    format!("{}\n\\command eval _clsh_late\n", nonce.as_str()).into_bytes()
}

/// The line that interrupts again what missed that: a program the shell itself started. What handles SIGINT does not get it twice.
pub fn interrupt_again(nonce: &Nonce) -> Vec<u8> {
    format!("{} again\n", nonce.as_str()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_one_quoted_word_whatever_stands_in_it() {
        let lines = command(7, b"echo 'a b' \"$c\"\n\\");
        let text = String::from_utf8(lines).expect("ascii");
        let word = "_clsh_c='echo '\\''a b'\\'' \"$c\"\n\\' ";
        assert_eq!(
            text,
            format!("{word}_clsh_n=7\n\\command eval \"$_clsh_r\"\n")
        );
    }

    #[test]
    fn no_line_of_a_command_is_the_interrupt() {
        let nonce = Nonce::new([3; 16]);
        let interrupt = interrupt(&nonce);
        let first = interrupt.split(|&byte| byte == b'\n').next();
        assert_eq!(first, Some(nonce.as_str().as_bytes()));
        let lines = command(1, b"\n\n");
        assert!(
            lines
                .split(|&byte| byte == b'\n')
                .all(|line| Some(line) != first)
        );
    }
}
