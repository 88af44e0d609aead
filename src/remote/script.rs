//! A script that one shell on each node reads whole, from its stdin or from a file that is sent along.

/// A script and the shell that reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    /// Command line of the shell on the nodes (`--shell`); `None` for the login shell.
    pub shell: Option<String>,
    /// The script, where it does not come in on standard input.
    pub file: Option<ScriptFile>,
}

/// A script that is sent along (`--script`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScriptFile {
    /// Any byte but NUL; without its last newline.
    pub text: Vec<u8>,
    /// What it is given as arguments; any byte but NUL.
    pub args: Vec<Vec<u8>>,
}

impl ScriptFile {
    /// The arguments as a shell reads them, each between single quotes.
    pub fn quoted_args(&self) -> Vec<u8> {
        let mut words = Vec::new();
        for arg in &self.args {
            words.extend_from_slice(b" '");
            for &byte in arg {
                match byte {
                    b'\'' => words.extend_from_slice(br"'\''"),
                    _ => words.push(byte),
                }
            }
            words.push(b'\'');
        }
        words
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_words_of_their_own_whatever_stands_in_them() {
        let file = |args: &[&[u8]]| ScriptFile {
            text: Vec::new(),
            args: args.iter().map(|arg| arg.to_vec()).collect(),
        };
        assert_eq!(file(&[]).quoted_args(), b"");
        let args: [&[u8]; 4] = [b"a b", b"", b"it's", b"$x\n\xff"];
        assert_eq!(
            file(&args).quoted_args(),
            b" 'a b' '' 'it'\\''s' '$x\n\xff'"
        );
    }
}
