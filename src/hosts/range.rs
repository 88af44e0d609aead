//! One word with its bracket groups, and the names it stands for.
//!
//! Responsible for `n[08-11,20-30/5]-ib`. Not for whether a name is a fit one: that is `Node`'s.
//! Invariant: how many names, and how long the longest, is known before the first one is made.

use super::error::Cause;

/// A word cut into plain text and bracket groups.
#[derive(Debug)]
pub(super) struct Pattern<'a> {
    parts: Vec<Part<'a>>,
}

#[derive(Debug)]
enum Part<'a> {
    Text(&'a str),
    Group(Vec<Span>),
}

/// One item of a group: `first`, `first + step`, ..., `count` numbers, each at least `width` digits wide.
#[derive(Debug)]
struct Span {
    first: u64,
    step: u64,
    count: u64,
    width: usize,
}

impl<'a> Pattern<'a> {
    /// Cuts `word`. Brackets that hold a `:` are an IPv6 address and stay text.
    pub(super) fn parse(word: &'a str) -> Result<Pattern<'a>, Cause> {
        let mut parts = Vec::new();
        let mut text_start = 0;
        let mut at = 0;
        while let Some(found) = word[at..].find(['[', ']']) {
            let open = at + found;
            let inner = word[open..].strip_prefix('[').ok_or(Cause::NeverOpened)?;
            let bytes = match inner.find(['[', ']']) {
                None => return Err(Cause::NeverClosed),
                Some(bytes) if inner[bytes..].starts_with('[') => return Err(Cause::Nested),
                Some(bytes) => bytes,
            };
            at = open + 1 + bytes + 1;
            if !inner[..bytes].contains(':') {
                push_text(&mut parts, &word[text_start..open]);
                parts.push(Part::Group(parse_group(&inner[..bytes])?));
                text_start = at;
            }
        }
        push_text(&mut parts, &word[text_start..]);
        Ok(Pattern { parts })
    }

    /// How many names the word stands for, at least 1; `u64::MAX` stands for that many or more.
    pub(super) fn count(&self) -> u64 {
        self.parts.iter().fold(1, |product, part| match part {
            Part::Text(_) => product,
            Part::Group(spans) => {
                let sum = spans
                    .iter()
                    .fold(0, |sum: u64, span| sum.saturating_add(span.count));
                product.saturating_mul(sum)
            }
        })
    }

    /// Bytes of the longest name. At least one byte a group, which also bounds the depth of [`Pattern::each_name`].
    pub(super) fn name_bytes_max(&self) -> usize {
        let bytes = |part: &Part<'_>| match part {
            Part::Text(text) => text.len(),
            Part::Group(spans) => spans.iter().map(Span::digits_max).max().unwrap_or(0),
        };
        self.parts.iter().map(bytes).sum()
    }

    /// Calls `each` with every name, the leftmost group varying slowest; stops at the first error.
    pub(super) fn each_name<E>(
        &self,
        mut each: impl FnMut(&str) -> Result<(), E>,
    ) -> Result<(), E> {
        walk(&self.parts, &mut String::new(), &mut each)
    }
}

impl Span {
    fn numbers(&self) -> impl Iterator<Item = u64> {
        // Stays below the range's upper end, so it cannot overflow.
        (0..self.count).map(|nth| self.first + nth * self.step)
    }

    fn digits_max(&self) -> usize {
        let last = self.first + (self.count - 1) * self.step;
        let digits = last.checked_ilog10().map_or(1, |log| log as usize + 1);
        digits.max(self.width)
    }
}

fn push_text<'a>(parts: &mut Vec<Part<'a>>, text: &'a str) {
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
}

fn walk<E>(
    parts: &[Part<'_>],
    name: &mut String,
    each: &mut dyn FnMut(&str) -> Result<(), E>,
) -> Result<(), E> {
    let Some((part, rest)) = parts.split_first() else {
        return each(name);
    };
    let bytes = name.len();
    match part {
        Part::Text(text) => {
            name.push_str(text);
            walk(rest, name, each)?;
            name.truncate(bytes);
        }
        Part::Group(spans) => {
            for span in spans {
                for number in span.numbers() {
                    push_number(name, number, span.width);
                    walk(rest, name, each)?;
                    name.truncate(bytes);
                }
            }
        }
    }
    Ok(())
}

/// As `{number:0width$}` does, in a third of the time.
fn push_number(name: &mut String, number: u64, width: usize) {
    let mut digits = [0; u64::MAX.ilog10() as usize + 1];
    let mut left = number;
    let mut count = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (left % 10) as u8;
        left /= 10;
        count += 1;
        if left == 0 {
            break;
        }
    }
    name.extend((count..width).map(|_| '0'));
    name.extend(
        digits[digits.len() - count..]
            .iter()
            .map(|&digit| char::from(digit)),
    );
}

/// What stands between two brackets: `1-3,5,0-20/5`.
fn parse_group(group: &str) -> Result<Vec<Span>, Cause> {
    if group.is_empty() {
        return Err(Cause::EmptyGroup);
    }
    group.split(',').map(parse_item).collect()
}

/// One of `5`, `1-3`, `0-20/5`. The width is that of the first number: one without padding asks for no more digits
/// than it and all after it have anyway.
fn parse_item(item: &str) -> Result<Span, Cause> {
    if item.is_empty() {
        return Err(Cause::EmptyItem);
    }
    let (range, step) = match item.split_once('/') {
        Some((range, step)) => (range, Some(step)),
        None => (item, None),
    };
    let Some((low, high)) = range.split_once('-') else {
        let first = parse_number(range, item)?;
        return match step {
            Some(_) => Err(Cause::StepWithoutRange(item.into())),
            None => Ok(Span {
                first,
                step: 1,
                count: 1,
                width: range.len(),
            }),
        };
    };
    if low.is_empty() || high.is_empty() {
        return Err(Cause::OpenRange(item.into()));
    }
    let (first, last) = (parse_number(low, item)?, parse_number(high, item)?);
    let step = step.map_or(Ok(1), |step| parse_number(step, item))?;
    if step == 0 {
        return Err(Cause::StepZero(item.into()));
    }
    if first > last {
        return Err(Cause::Reversed(item.into()));
    }
    if is_padded(high) && high.len() != low.len() {
        return Err(Cause::PaddingDiffers(item.into()));
    }
    let count = ((last - first) / step).saturating_add(1);
    Ok(Span {
        first,
        step,
        count,
        width: low.len(),
    })
}

fn is_padded(digits: &str) -> bool {
    digits.len() > 1 && digits.starts_with('0')
}

fn parse_number(digits: &str, item: &str) -> Result<u64, Cause> {
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Cause::NotANumber(item.into()));
    }
    digits
        .parse()
        .map_err(|_| Cause::NumberTooLarge(digits.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expand(word: &str) -> Vec<String> {
        let pattern = Pattern::parse(word).unwrap();
        let mut names = Vec::new();
        let done: Result<(), ()> = pattern.each_name(|name| {
            names.push(name.to_owned());
            Ok(())
        });
        done.unwrap();
        assert_eq!(pattern.count(), names.len() as u64);
        assert_eq!(
            pattern.name_bytes_max(),
            names.iter().map(String::len).max().unwrap()
        );
        names
    }

    #[test]
    fn ranges_padding_and_steps() {
        assert_eq!(expand("n1"), ["n1"]);
        assert_eq!(expand("n[1-3,5]"), ["n1", "n2", "n3", "n5"]);
        assert_eq!(expand("n[08-11]"), ["n08", "n09", "n10", "n11"]);
        assert_eq!(expand("n[9-10]"), ["n9", "n10"]);
        assert_eq!(expand("n[098-100]"), ["n098", "n099", "n100"]);
        assert_eq!(expand("n[98-101/2]"), ["n98", "n100"]);
        assert_eq!(
            expand("n[09-11,7,007]"),
            ["n09", "n10", "n11", "n7", "n007"]
        );
        assert_eq!(expand("n[0-20/5]"), ["n0", "n5", "n10", "n15", "n20"]);
        assert_eq!(expand("n[1-9/100]"), ["n1"]);
        assert_eq!(expand("[1-2]"), ["1", "2"]);
        assert_eq!(
            expand("n[18446744073709551614-18446744073709551615]").len(),
            2
        );
    }

    #[test]
    fn the_leftmost_group_varies_slowest() {
        assert_eq!(
            expand("r[1-2]n[01-02]-ib:220[1-2]"),
            [
                "r1n01-ib:2201",
                "r1n01-ib:2202",
                "r1n02-ib:2201",
                "r1n02-ib:2202",
                "r2n01-ib:2201",
                "r2n01-ib:2202",
                "r2n02-ib:2201",
                "r2n02-ib:2202",
            ]
        );
    }

    #[test]
    fn brackets_around_a_colon_are_an_address() {
        assert_eq!(expand("[::1]:[22-23]"), ["[::1]:22", "[::1]:23"]);
        assert_eq!(expand("fe80::[1-2]"), ["fe80::1", "fe80::2"]);
    }

    #[test]
    fn what_is_no_range_is_refused() {
        let cause = |word: &str| Pattern::parse(word).unwrap_err();
        for word in ["n[1-", "n[", "n[1-3]m[", "[::1"] {
            assert_eq!(cause(word), Cause::NeverClosed, "{word}");
        }
        for word in ["n]", "n1-3]", "n[1]]", "]["] {
            assert_eq!(cause(word), Cause::NeverOpened, "{word}");
        }
        for word in ["n[[1]]", "n[1[2]]", "n[1[", "[fe80::[1-2]]"] {
            assert_eq!(cause(word), Cause::Nested, "{word}");
        }
        assert_eq!(cause("n[]"), Cause::EmptyGroup);
        for word in ["n[,]", "n[1,,2]", "n[,1]", "n[1,]"] {
            assert_eq!(cause(word), Cause::EmptyItem, "{word}");
        }
        for item in ["-3", "3-", "-", "-3/2"] {
            assert_eq!(cause(&format!("n[{item}]")), Cause::OpenRange(item.into()));
        }
        for item in [
            "a", "a-b", "1-2-3", "+1", "1 ", "0x1", "1-3/", "1-3/a", "1-3/1/1", "/", "/2", "１",
            "1.5",
        ] {
            assert_eq!(cause(&format!("n[{item}]")), Cause::NotANumber(item.into()));
        }
        assert_eq!(cause("n[3-1]"), Cause::Reversed("3-1".into()));
        assert_eq!(cause("n[1-3/0]"), Cause::StepZero("1-3/0".into()));
        assert_eq!(cause("n[5/2]"), Cause::StepWithoutRange("5/2".into()));
        for item in ["1-010", "01-002", "001-02", "0-00"] {
            assert_eq!(
                cause(&format!("n[{item}]")),
                Cause::PaddingDiffers(item.into())
            );
        }
        let large = "18446744073709551616";
        for word in [
            format!("n[{large}]"),
            format!("n[0-{large}]"),
            format!("n[0-1/{large}]"),
        ] {
            assert_eq!(cause(&word), Cause::NumberTooLarge(large.into()), "{word}");
        }
    }

    #[test]
    fn counts_do_not_overflow() {
        let count = |word: &str| Pattern::parse(word).unwrap().count();
        let all = "[0-18446744073709551615]";
        assert_eq!(count(all), u64::MAX);
        assert_eq!(count("[0-18446744073709551615,1]"), u64::MAX);
        assert_eq!(count(&format!("{all}{all}{all}")), u64::MAX);
        assert_eq!(count("r[0-9]n[0-99/10,5]"), 110);
    }
}
