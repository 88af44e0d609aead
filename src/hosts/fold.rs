//! Names back to ranges, short enough for a person and exact enough to be pasted after `-h`.
//!
//! Invariant: reading the folded text gives the same set of names, each once.
//!
//! Names are cut at their runs of digits and sorted into classes that differ in nothing but the numbers, so that a
//! name is a point in a grid. Then one dimension after the other, the last first, points that agree in all other
//! dimensions are joined; equal sets of numbers get equal ids, so that whole blocks are joined next.

use crate::order::order;
use std::collections::HashMap;
use std::fmt::Write;
use std::num::NonZero;
use std::ops::Range;
use std::rc::Rc;

/// The names as words of a list, separated by commas: `node[3,5]`, `r[1-2]n[01-32]-ib,login`.
///
/// Padding is kept: `n1` and `n01` are never taken for each other. IPv6 addresses, and names with brackets, are
/// listed as they are. Classes come in the order of their first name, numbers sorted. Takes n log n time.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut classes: Vec<Class<'a>> = Vec::new();
    let mut by_key: HashMap<Box<str>, usize> = HashMap::new();
    let (mut key, mut numbers) = (String::new(), Vec::new());
    let (mut last_key, mut last) = (String::new(), None);
    for name in names {
        cut(name, &mut key, &mut numbers);
        // Names of one class mostly come one after the other.
        let at = match last.filter(|_| key == last_key) {
            Some(at) => at,
            None => match by_key.get(key.as_str()) {
                Some(&at) => at,
                None => {
                    by_key.insert(key.as_str().into(), classes.len());
                    classes.push(Class {
                        sample: name,
                        groups: numbers.len(),
                        cells: Vec::new(),
                    });
                    classes.len() - 1
                }
            },
        };
        classes[at]
            .cells
            .extend(numbers.iter().map(|&number| Cell::One(number)));
        std::mem::swap(&mut key, &mut last_key);
        last = Some(at);
    }
    let mut text = String::new();
    for class in classes {
        class.write(&mut text);
    }
    text
}

/// A run of digits: how many, and their value. Ordered so that `9`, `10` and `08`, `09`, `10` are neighbours.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Number {
    digits: NonZero<u8>,
    value: u64,
}

// A million of them are sorted.
const _: () = assert!(size_of::<Cell>() == 16);

impl Number {
    /// Whether `self-next` is read as exactly these two: the same width, or from all nines to the next power of ten.
    fn precedes(self, next: Number) -> bool {
        self.value.checked_add(1) == Some(next.value)
            && (self.digits == next.digits
                || (self.digits.checked_add(1) == Some(next.digits)
                    && 10u64.checked_pow(u32::from(self.digits.get())) == Some(next.value)))
    }

    fn write(self, text: &mut String) {
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "{:0width$}",
            self.value,
            width = usize::from(self.digits.get())
        );
    }
}

/// What one name, or one block of joined names, has at one run of digits.
#[derive(Clone, Copy)]
enum Cell {
    One(Number),
    /// The id of a set of numbers.
    Many(usize),
}

impl Cell {
    /// What it is compared by: numbers as numbers are, and sets of them apart from those.
    fn key(self) -> u128 {
        let (digits, value) = match self {
            Cell::One(Number { digits, value }) => (digits.get(), value),
            Cell::Many(id) => (0, id as u64),
        };
        u128::from(digits) << 64 | u128::from(value)
    }
}

/// Sets of numbers as sorted runs `first..=last`; equal sets have the same id.
#[derive(Default)]
struct Sets {
    ids: HashMap<Rc<[(Number, Number)]>, usize>,
    runs: Vec<Rc<[(Number, Number)]>>,
}

impl Sets {
    /// The cell of these numbers, sorted, at least one, duplicates allowed.
    fn cell(&mut self, numbers: impl IntoIterator<Item = Number>) -> Option<Cell> {
        let mut runs: Vec<(Number, Number)> = Vec::new();
        for number in numbers {
            match runs.last_mut() {
                Some((_, last)) if *last == number => {}
                Some((_, last)) if last.precedes(number) => *last = number,
                _ => runs.push((number, number)),
            }
        }
        match *runs {
            [] => None,
            [(first, last)] if first == last => Some(Cell::One(first)),
            _ => Some(Cell::Many(self.id(runs.into()))),
        }
    }

    fn id(&mut self, runs: Rc<[(Number, Number)]>) -> usize {
        if let Some(&id) = self.ids.get(&runs) {
            return id;
        }
        self.runs.push(Rc::clone(&runs));
        self.ids.insert(runs, self.runs.len() - 1);
        self.runs.len() - 1
    }

    fn first(&self, cell: Cell) -> Option<Number> {
        match cell {
            Cell::One(number) => Some(number),
            Cell::Many(id) => self.runs[id].first().map(|run| run.0),
        }
    }

    fn write(&self, cell: Cell, text: &mut String) {
        let id = match cell {
            Cell::One(number) => return number.write(text),
            Cell::Many(id) => id,
        };
        let mut before = '[';
        for &(first, last) in self.runs[id].iter() {
            text.push(before);
            before = ',';
            first.write(text);
            if first != last {
                text.push('-');
                last.write(text);
            }
        }
        text.push(']');
    }
}

/// Names that differ in nothing but their numbers.
struct Class<'a> {
    sample: &'a str,
    /// Runs of digits in each name.
    groups: usize,
    /// `groups` of them a name, one name after the other.
    cells: Vec<Cell>,
}

impl Class<'_> {
    fn write(mut self, text: &mut String) {
        if self.groups == 0 {
            start_word(text);
            text.push_str(self.sample);
            return;
        }
        let mut sets = Sets::default();
        for group in (0..self.groups).rev() {
            self.join(group, &mut sets);
        }
        // No two begin with the same name.
        let first = |cell| sets.first(cell).map_or(0, |number| Cell::One(number).key());
        let groups: Vec<usize> = (0..self.groups).collect();
        for block in self.order(&groups, &first) {
            let block = self.block(block);
            start_word(text);
            let mut end = 0;
            for ((run, _), &cell) in runs(self.sample).zip(block) {
                text.push_str(&self.sample[end..run.start]);
                sets.write(cell, text);
                end = run.end;
            }
            text.push_str(&self.sample[end..]);
        }
    }

    /// Joins the blocks that agree everywhere but in `group`, where each still has a single number.
    fn join(&mut self, group: usize, sets: &mut Sets) {
        let mut groups: Vec<usize> = (0..self.groups).collect();
        groups[group..].rotate_left(1);
        let blocks = self.order(&groups, &Cell::key);
        let mut joined = Vec::new();
        let agree = |&a: &usize, &b: &usize| agree(self.block(a), self.block(b), group);
        for same in blocks.chunk_by(agree) {
            let numbers = same
                .iter()
                .filter_map(|&block| match self.block(block)[group] {
                    Cell::One(number) => Some(number),
                    Cell::Many(_) => None,
                });
            let first = self.block(same[0]);
            let cell = sets.cell(numbers).unwrap_or(first[group]);
            joined.extend_from_slice(&first[..group]);
            joined.push(cell);
            joined.extend_from_slice(&first[group + 1..]);
        }
        self.cells = joined;
    }

    fn block(&self, block: usize) -> &[Cell] {
        &self.cells[block * self.groups..][..self.groups]
    }

    /// The blocks sorted by these groups, the first of which counts most, by what `key` makes of their cells.
    fn order(&self, groups: &[usize], key: &dyn Fn(Cell) -> u128) -> Vec<usize> {
        let mut blocks: Vec<usize> = (0..self.cells.len() / self.groups).collect();
        let keys = |&block: &usize| {
            let cells = self.block(block);
            groups.iter().map(move |&group| key(cells[group]))
        };
        // Names mostly come in order.
        if blocks.is_sorted_by(|a, b| keys(a).le(keys(b))) {
            return blocks;
        }
        for &group in groups.iter().rev() {
            let keys = blocks.iter().map(|&block| key(self.block(block)[group]));
            blocks = order(keys).iter().map(|&at| blocks[at]).collect();
        }
        blocks
    }
}

/// Whether blocks have the same everywhere but at `group`.
fn agree(a: &[Cell], b: &[Cell], group: usize) -> bool {
    let mut cells = a.iter().zip(b).enumerate();
    cells.all(|(at, (a, b))| at == group || a.key() == b.key())
}

fn start_word(text: &mut String) {
    if !text.is_empty() {
        text.push(',');
    }
}

/// Cuts `name` into the key of its class, `[` standing for each number, and the numbers.
fn cut(name: &str, key: &mut String, numbers: &mut Vec<Number>) {
    key.clear();
    numbers.clear();
    let colons = name.bytes().filter(|&byte| byte == b':').count();
    if colons > 1 || name.contains(['[', ']']) {
        // No key of the other kind starts like this, since names with brackets never get one.
        key.push(']');
        key.push_str(name);
        return;
    }
    let mut end = 0;
    for (run, number) in runs(name) {
        key.push_str(&name[end..run.start]);
        key.push('[');
        numbers.push(number);
        end = run.end;
    }
    key.push_str(&name[end..]);
}

/// The runs of digits that are numbers; a run too long for a `u64` is text.
fn runs(name: &str) -> impl Iterator<Item = (Range<usize>, Number)> {
    let bytes = name.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let start = at + bytes[at..].iter().position(u8::is_ascii_digit)?;
            let digits = bytes[start..]
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count();
            at = start + digits;
            let width = u8::try_from(digits).ok().and_then(NonZero::new);
            if let (Some(digits), Ok(value)) = (width, name[start..at].parse()) {
                return Some((start..at, Number { digits, value }));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(names: &str) -> String {
        fold(names.split_whitespace())
    }

    #[test]
    fn runs_of_one_group() {
        assert_eq!(folded(""), "");
        assert_eq!(folded("n7"), "n7");
        assert_eq!(folded("n7 n7"), "n7");
        assert_eq!(folded("n5 n2 n1 n3"), "n[1-3,5]");
        assert_eq!(folded("node3 node5"), "node[3,5]");
        assert_eq!(folded("n1 n2"), "n[1-2]");
        assert_eq!(folded("login n2 login n1 gate"), "login,n[1-2],gate");
        assert_eq!(folded("1 2 3"), "[1-3]");
    }

    #[test]
    fn padding_is_kept() {
        assert_eq!(folded("n08 n09 n10"), "n[08-10]");
        assert_eq!(folded("n9 n10"), "n[9-10]");
        assert_eq!(folded("n9 n10 n08 n09"), "n[9,08-10]");
        assert_eq!(folded("n1 n01 n2 n02"), "n[1-2,01-02]");
        assert_eq!(folded("n8 n09"), "n[8,09]");
        assert_eq!(folded("n098 n099 n100 n1000 n999"), "n[098-100,999-1000]");
        assert_eq!(folded("n99 n0100"), "n[99,0100]");
        assert_eq!(folded("n0 n00"), "n[0,00]");
    }

    #[test]
    fn several_groups() {
        assert_eq!(folded("r1n01 r1n02 r2n01 r2n02"), "r[1-2]n[01-02]");
        assert_eq!(folded("r1n1-ib0 r1n2-ib0"), "r1n[1-2]-ib0");
        assert_eq!(folded("r1n1 r2n1 r4n1"), "r[1-2,4]n1");
        assert_eq!(folded("r2n1 r1n1 r1n2"), "r1n[1-2],r2n1");
        assert_eq!(
            folded("ip-10-0-1-1 ip-10-0-1-2 ip-10-0-2-1 ip-10-0-2-2"),
            "ip-10-0-[1-2]-[1-2]"
        );
        assert_eq!(
            folded("u1@h:22 u1@h:23 u2@h:22 u2@h:23"),
            "u[1-2]@h:[22-23]"
        );
    }

    #[test]
    fn what_is_not_folded() {
        assert_eq!(
            folded("::1 ::2 [::1]:22 [::1]:23 n[1 n1"),
            "::1,::2,[::1]:22,[::1]:23,n[1,n1"
        );
        assert_eq!(folded("::1 ::1"), "::1");
        let (large, larger) = ("n18446744073709551616", "n18446744073709551617");
        assert_eq!(fold([large, larger]), format!("{large},{larger}"));
        assert_eq!(
            folded("n18446744073709551614 n18446744073709551615"),
            "n[18446744073709551614-18446744073709551615]"
        );
        let wide = "0".repeat(300);
        assert_eq!(fold([wide.as_str(), "1"]), format!("{wide},1"));
    }
}
