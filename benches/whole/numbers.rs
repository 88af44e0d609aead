//! Medians, spreads, ratios, and how a reader gets to see them.

/// The middle one; of an even number the mean of the two in the middle; of none nothing.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[half]),
        _ => Some((sorted[half - 1] + sorted[half]) / 2.0),
    }
}

/// The median of what `values` is of `base`, round by round: what slows the machine down for a while slows down both.
pub fn ratio(values: &[f64], base: &[f64]) -> Option<f64> {
    let pairs = values.iter().zip(base);
    median(&pairs.map(|(value, base)| value / base).collect::<Vec<_>>())
}

/// Three digits, as many as a noisy machine is good for.
pub fn digits(value: f64) -> String {
    let places = match value.abs() {
        size if size >= 99.95 => 0,
        size if size >= 9.995 => 1,
        size if size >= 0.0995 => 2,
        _ => 4,
    };
    format!("{value:.places$}")
}

/// `0.41 s (0.40-0.45)`
pub fn spread(values: &[f64], unit: &str) -> String {
    let Some(middle) = median(values) else {
        return String::new();
    };
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let range = format!(" ({} to {})", digits(low), digits(high));
    let range = if values.len() > 1 { &range } else { "" };
    format!("{} {unit}{range}", digits(middle))
}

/// `12,345`
pub fn grouped(number: usize) -> String {
    let text = number.to_string();
    let mut out = String::new();
    for (at, digit) in text.chars().enumerate() {
        if at > 0 && (text.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A table as Markdown has it; an empty cell is a `-`.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (at, row) in rows.iter().enumerate() {
        let cells = row.iter().map(|cell| match cell.as_str() {
            "" => "-".to_owned(),
            text => text.replace('|', "\\|"),
        });
        let cells: Vec<String> = cells.collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
        if at == 0 {
            out.push_str(&format!("|{}\n", " --- |".repeat(row.len())));
        }
    }
    out
}

/// `text` with what stands between the two marks replaced; nothing when they do not stand there in this order.
pub fn between_marks(text: &str, marks: [&str; 2], new: &str) -> Option<String> {
    let from = text.find(marks[0])? + marks[0].len();
    let to = from + text[from..].find(marks[1])?;
    Some(format!("{}\n{new}{}", &text[..from], &text[to..]))
}

/// Year, month and day of a count of days since 1970.
pub fn date(days: u64) -> String {
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let (mut year, mut left) = (1970, days);
    while left >= 365 + u64::from(leap(year)) {
        left -= 365 + u64::from(leap(year));
        year += 1;
    }
    let february = 28 + u64::from(leap(year));
    let lengths = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while left >= lengths[month] {
        left -= lengths[month];
        month += 1;
    }
    format!("{year}-{:02}-{:02}", month + 1, left + 1)
}
