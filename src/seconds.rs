//! Seconds as people write and read them, in decimal. Whole numbers throughout: reading and printing floating point takes 40 KB of
//! the binary, and rounds 0.015 down.

use std::time::Duration;

/// Digits behind the point that a [`Duration`] holds.
const DIGITS: u32 = 9;

/// Digits, and perhaps a point with digits behind it, rounded to nanoseconds; more than a [`Duration`] holds gives the longest. `None`
/// when it is anything else.
pub fn parse(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    // Digits that overflow a u64 are more than any time.
    let whole = whole.parse().unwrap_or(u64::MAX);
    // The first digit that does not count decides which way the others are rounded.
    let tenths = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(DIGITS as usize + 1)
        .fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    let fraction = Duration::from_nanos((tenths + 5) / 10);
    Some(Duration::from_secs(whole).saturating_add(fraction))
}

/// With exactly so many decimals, from 1 to 9, halves rounded up.
pub fn fixed(time: Duration, decimals: u32) -> String {
    let (scale, last) = (10_u32.pow(decimals), 10_u32.pow(DIGITS - decimals));
    let fraction = (time.subsec_nanos() + last / 2) / last;
    let whole = time.as_secs().saturating_add(u64::from(fraction / scale));
    let width = decimals as usize;
    format!("{whole}.{:0width$}", fraction % scale)
}

/// With at most so many decimals, from 1 to 9, halves rounded up: no zeros at the end, and no point without decimals.
pub fn short(time: Duration, decimals: u32) -> String {
    let text = fixed(time, decimals);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_numbers_are_read() {
        let nanos = |text| parse(text).map(|time| time.as_nanos());
        assert_eq!(nanos("0"), Some(0));
        assert_eq!(nanos("007.50"), Some(7_500_000_000));
        assert_eq!(nanos("0.0000000004"), Some(0));
        assert_eq!(nanos("0.0000000005"), Some(1));
        assert_eq!(nanos("0.00000000049999"), Some(0));
        assert_eq!(nanos("1.9999999999"), Some(2_000_000_000));
        assert_eq!(
            parse(&u64::MAX.to_string()),
            Some(Duration::from_secs(u64::MAX))
        );
        for huge in [&format!("{}.9999999999", u64::MAX), &"9".repeat(400)] {
            assert!(parse(huge) >= Some(Duration::from_secs(u64::MAX)));
        }
        for bad in [
            "", ".", "1.", ".5", "-1", "+1", "1e3", "inf", "1,5", "1.2.3", " 1", "٣",
        ] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn decimals_are_rounded_half_up() {
        let said = |nanos| {
            let time = Duration::from_nanos(nanos);
            (fixed(time, 2), short(time, 2))
        };
        let both = |fixed: &str, short: &str| (fixed.to_owned(), short.to_owned());
        assert_eq!(said(0), both("0.00", "0"));
        assert_eq!(said(4_999_999), both("0.00", "0"));
        assert_eq!(said(5_000_000), both("0.01", "0.01"));
        assert_eq!(said(15_000_000), both("0.02", "0.02"));
        assert_eq!(said(1_300_000_000), both("1.30", "1.3"));
        assert_eq!(said(99_994_999_999), both("99.99", "99.99"));
        assert_eq!(said(99_995_000_000), both("100.00", "100"));
        let longest = fixed(Duration::MAX, 1);
        assert_eq!(longest, format!("{}.0", u64::MAX));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_as_near_as_its_decimals_allow(
            secs in prop_oneof![0..20_u64, 0..u64::MAX],
            nanos in 0..1_000_000_000_u32,
            decimals in 1..=DIGITS,
        ) {
            let time = Duration::new(secs, nanos);
            let text = fixed(time, decimals);
            prop_assert_eq!(text.split('.').nth(1).map(str::len), Some(decimals as usize));
            let back = parse(&text).expect("a number");
            prop_assert_eq!(parse(&short(time, decimals)), Some(back));
            let half = Duration::from_nanos(10_u64.pow(DIGITS - decimals) / 2);
            prop_assert!(back.abs_diff(time) <= half, "{time:?} {text}");
        }

        /// Floating point is the twin, where it is exact enough.
        #[test]
        fn what_is_read_is_what_floating_point_reads(text in "[0-9]{1,5}(\\.[0-9]{1,6})?") {
            let twin = text.parse().ok().map(Duration::from_secs_f64);
            prop_assert_eq!(parse(&text), twin);
        }
    }
}
