//! Is what was printed right? Lines of numbers under labels, each node's in order and none left out.

/// Expects from each of `nodes` nodes the lines `nI: 1`, `nI: 2`, ... up to `count`, mixed in any way.
pub struct Numbered {
    count: u64,
    /// The last number of each node.
    last: Vec<u64>,
    /// A line that has not ended yet.
    rest: Vec<u8>,
    wrong: Option<String>,
}

impl Numbered {
    pub fn new(nodes: usize, count: u64) -> Numbered {
        Numbered {
            count,
            last: vec![0; nodes],
            rest: Vec::new(),
            wrong: None,
        }
    }

    pub fn see(&mut self, piece: &[u8]) {
        for part in piece.split_inclusive(|&byte| byte == b'\n') {
            self.rest.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let line = std::mem::take(&mut self.rest);
                self.line(&line[..line.len() - 1]);
                self.rest = line;
                self.rest.clear();
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        if self.wrong.is_none() && self.take(line).is_none() {
            self.wrong = Some(String::from_utf8_lossy(line).into_owned());
        }
    }

    fn take(&mut self, line: &[u8]) -> Option<()> {
        let line = std::str::from_utf8(line).ok()?;
        let (node, number) = line.strip_prefix('n')?.split_once(": ")?;
        let last = self.last.get_mut(node.parse::<usize>().ok()? - 1)?;
        *last += 1;
        (number.parse::<u64>().ok()? == *last).then_some(())
    }

    pub fn verdict(self) -> Result<(), String> {
        if let Some(line) = self.wrong {
            return Err(format!("a line that should not be there: {line}"));
        }
        if !self.rest.is_empty() {
            return Err("the last line has no end".to_owned());
        }
        match self.last.iter().position(|&last| last != self.count) {
            None => Ok(()),
            Some(node) => Err(format!("lines of n{} are missing", node + 1)),
        }
    }
}

/// The bytes of the numbers from 1 to `count`, a line each.
pub fn numbers_bytes(count: u64) -> u64 {
    let (mut bytes, mut from, mut digits) = (0, 1, 1);
    while from <= count {
        bytes += (count.min(from * 10 - 1) - from + 1) * (digits + 1);
        from *= 10;
        digits += 1;
    }
    bytes
}

/// The bytes of the labels of `n1` to `nN`, `lines` times each.
pub fn labels_bytes(nodes: u64, lines: u64) -> u64 {
    // A number's line break stands for the `n`, and `: ` comes on top.
    (numbers_bytes(nodes) + 2 * nodes) * lines
}
