//! Many lines at once, a label before each: where a flood of short lines spends its time.

/// A label or a line of at most so many bytes is copied as if it had all of them: that is a few instructions, without a call.
const STEP: usize = 32;
/// Bytes whose newlines are looked for together.
const SCAN: usize = 64;
/// Lines that are shorter than this on average are found by looking at all bytes, longer ones by jumping from newline to newline.
const SHORT_LINE: usize = 32;

/// Appends whole lines, each ended by its newline, with `prefix` before each.
pub fn prefixed(prefix: &[u8], block: &[u8], out: &mut Vec<u8>) {
    if prefix.is_empty() {
        return out.extend_from_slice(block);
    }
    let lines = memchr::memchr_iter(b'\n', block).count();
    if prefix.len() <= STEP && lines * SHORT_LINE > block.len() {
        return short(prefix, block, lines, out);
    }
    out.reserve(lines * prefix.len() + block.len());
    let mut from = 0;
    for newline in memchr::memchr_iter(b'\n', block) {
        out.extend_from_slice(prefix);
        out.extend_from_slice(&block[from..=newline]);
        from = newline + 1;
    }
}

/// Writes into room made before, and beyond the end of each piece: the next one overwrites that.
fn short(prefix: &[u8], block: &[u8], lines: usize, out: &mut Vec<u8>) {
    let mut label = [0; STEP];
    label[..prefix.len()].copy_from_slice(prefix);
    let start = out.len();
    let end = start + lines * prefix.len() + block.len();
    out.resize(end + STEP, 0);
    let (room, mut at, mut from) = (&mut out[start..], 0, 0);
    let mut put = |newline: usize| {
        let line = &block[from..=newline];
        if let Some(place) = room.get_mut(at..at + STEP) {
            place.copy_from_slice(&label);
        }
        at += prefix.len();
        match (block.get(from..from + STEP), room.get_mut(at..at + STEP)) {
            (Some(more), Some(place)) if line.len() <= STEP => place.copy_from_slice(more),
            _ => room[at..at + line.len()].copy_from_slice(line),
        }
        at += line.len();
        from = newline + 1;
    };
    let (chunks, rest) = block.as_chunks::<SCAN>();
    for (number, chunk) in chunks.iter().enumerate() {
        let mut found = newlines(chunk);
        while found != 0 {
            put(number * SCAN + found.trailing_zeros() as usize);
            found &= found - 1;
        }
    }
    for (offset, _) in rest.iter().enumerate().filter(|&(_, &byte)| byte == b'\n') {
        put(chunks.len() * SCAN + offset);
    }
    out.truncate(end);
}

/// One bit for each byte that is a newline, the first one lowest.
fn newlines(chunk: &[u8; SCAN]) -> u64 {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let (words, _) = chunk.as_chunks::<{ size_of::<u64>() }>();
    let mut found = 0;
    for (number, &word) in words.iter().enumerate() {
        let other = u64::from_le_bytes(word) ^ u64::from_ne_bytes([b'\n'; 8]);
        // The high bit of each byte that is zero in `other`.
        let zero = !(((other & LOW) + LOW) | other | LOW);
        // The eight of them together.
        let bits = (zero >> 7).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        found |= bits << (8 * number);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn naive(prefix: &[u8], block: &[u8]) -> Vec<u8> {
        block
            .split_inclusive(|&byte| byte == b'\n')
            .flat_map(|line| [prefix, line].concat())
            .collect()
    }

    proptest! {
        #[test]
        fn each_line_gets_its_label(
            prefix in proptest::collection::vec(any::<u8>(), 0..40),
            lines in proptest::collection::vec(
                prop_oneof![
                    8 => proptest::collection::vec(any::<u8>(), 0..12),
                    1 => proptest::collection::vec(any::<u8>(), 25..200),
                ],
                0..300,
            ),
            before in proptest::collection::vec(any::<u8>(), 0..5),
        ) {
            // A random byte may be a newline: then there are more lines.
            let block: Vec<u8> = lines.into_iter().flat_map(|line| [&line[..], b"\n"].concat()).collect();
            let mut out = before.clone();
            prefixed(&prefix, &block, &mut out);
            prop_assert_eq!(&out[..before.len()], &before[..]);
            prop_assert_eq!(&out[before.len()..], &naive(&prefix, &block)[..]);
        }
    }

    #[test]
    fn newlines_are_found_wherever_they_are() {
        for at in 0..SCAN {
            for other in [0, 1, 9, 11, 0x8a, 0xff] {
                let mut chunk = [other; SCAN];
                assert_eq!(newlines(&chunk), 0);
                chunk[at] = b'\n';
                assert_eq!(newlines(&chunk), 1 << at);
            }
        }
        assert_eq!(newlines(&[b'\n'; SCAN]), u64::MAX);
    }
}
