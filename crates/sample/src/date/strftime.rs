//! strftime(3) in the C locale, for the converters `ltime` and `utime`, with `%N` and a number of
//! digits (`%3N`) for fractions of a second.

use super::{Civil, zone};

/// A moment to be written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Seconds since 1970, UTC.
    pub(crate) seconds: i64,
    /// Microseconds of the second.
    pub(crate) micros: i64,
    /// Seconds that local time is ahead of UTC; `None` is UTC itself.
    pub(crate) offset: Option<i32>,
}

/// The flags between `%` and the letter (glibc).
#[derive(Clone, Copy, Default)]
struct Modifier {
    /// `-` no padding, `_` spaces, `0` zeros.
    padding: Option<u8>,
    /// `^`
    upper: bool,
    /// `#`
    swap: bool,
    width: usize,
}

/// Writes a moment. What is not a conversion stays as it is.
pub(crate) fn strftime(format: &[u8], moment: Moment) -> Vec<u8> {
    let civil = Civil::of(
        moment
            .seconds
            .saturating_add(moment.offset.unwrap_or(0).into()),
    );
    let mut out = Vec::with_capacity(format.len() * 2);
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let (modifier, letter, behind) = modifier(after);
        match letter.and_then(|letter| conversion(letter, modifier, &civil, moment)) {
            Some(text) => out.extend_from_slice(text.as_bytes()),
            None => {
                let written = after.len() - behind.len();
                out.push(b'%');
                out.extend_from_slice(after.get(..written).unwrap_or_default());
            }
        }
        rest = behind;
    }
    out
}

/// Takes flags, a width and the letter; `E` and `O` mean nothing in the C locale.
fn modifier(format: &[u8]) -> (Modifier, Option<u8>, &[u8]) {
    let mut modifier = Modifier::default();
    let mut rest = format;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'-' | b'_' => modifier.padding = Some(byte),
            b'0' if modifier.width == 0 => modifier.padding = Some(byte),
            b'^' => modifier.upper = true,
            b'#' => modifier.swap = true,
            // Wider fields than this are nobody's intention.
            b'0'..=b'9' => {
                modifier.width = (modifier.width * 10 + usize::from(byte - b'0')).min(64)
            }
            b'E' | b'O' => {}
            letter => return (modifier, Some(letter), rest),
        }
    }
    (modifier, None, rest)
}

fn conversion(letter: u8, modifier: Modifier, c: &Civil, moment: Moment) -> Option<String> {
    if let Some((value, width, padding)) = number(letter, c) {
        return Some(padded(value, width, padding, modifier));
    }
    let text = match letter {
        b'N' => {
            let nanos = format!("{:09}", moment.micros * 1_000);
            let digits = if modifier.width == 0 {
                9
            } else {
                modifier.width.min(9)
            };
            return nanos.get(..digits).map(str::to_owned);
        }
        b's' => moment.seconds.to_string(),
        b'z' => zone(moment.offset.unwrap_or(0)),
        b'Z' => zone_name(moment.offset),
        other => words(other, c, moment)?,
    };
    Some(match (modifier.upper, modifier.swap, letter) {
        (true, ..) => text.to_uppercase(),
        (_, true, b'Z' | b'p') => text.to_lowercase(),
        (_, true, _) => text.to_uppercase(),
        _ => text,
    })
}

/// Conversions to a number: its value, width and padding.
fn number(letter: u8, c: &Civil) -> Option<(i64, usize, u8)> {
    let (weekday, yearday) = (i64::from(c.weekday), i64::from(c.yearday));
    let half = |hour: u8| {
        if hour % 12 == 0 {
            12
        } else {
            i64::from(hour % 12)
        }
    };
    let zeros = |value: i64| (value, 2, b'0');
    let spaces = |value: i64| (value, 2, b'_');
    Some(match letter {
        b'C' => zeros(c.year / 100),
        b'd' => zeros(c.day.into()),
        b'e' => spaces(c.day.into()),
        b'g' => zeros(c.iso_week().0 % 100),
        b'G' => (c.iso_week().0, 4, b'0'),
        b'H' => zeros(c.hour.into()),
        b'I' => zeros(half(c.hour)),
        b'j' => (yearday + 1, 3, b'0'),
        b'k' => spaces(c.hour.into()),
        b'l' => spaces(half(c.hour)),
        b'm' => zeros(c.month.into()),
        b'M' => zeros(c.minute.into()),
        b'S' => zeros(c.second.into()),
        b'u' => (if weekday == 0 { 7 } else { weekday }, 1, b'0'),
        b'U' => zeros((yearday + 7 - weekday) / 7),
        b'V' => zeros(c.iso_week().1),
        b'w' => (weekday, 1, b'0'),
        b'W' => zeros((yearday + 7 - (weekday + 6) % 7) / 7),
        b'y' => zeros(c.year % 100),
        b'Y' => (c.year, 4, b'0'),
        _ => return None,
    })
}

fn padded(value: i64, width: usize, padding: u8, modifier: Modifier) -> String {
    let width = if modifier.width == 0 {
        width
    } else {
        modifier.width
    };
    match modifier.padding.unwrap_or(padding) {
        b'-' => value.to_string(),
        b'_' => format!("{value:width$}"),
        _ => format!("{value:0width$}"),
    }
}

/// Conversions to words, and those made of others.
fn words(letter: u8, c: &Civil, moment: Moment) -> Option<String> {
    let whole =
        |format: &str| String::from_utf8_lossy(&strftime(format.as_bytes(), moment)).into_owned();
    Some(match letter {
        b'a' => c.weekday_name().to_owned(),
        b'A' => c.weekday_full_name().to_owned(),
        b'b' | b'h' => c.month_name().to_owned(),
        b'B' => c.month_full_name().to_owned(),
        b'c' => whole("%a %b %e %H:%M:%S %Y"),
        b'D' | b'x' => whole("%m/%d/%y"),
        b'F' => whole("%Y-%m-%d"),
        b'n' => "\n".to_owned(),
        b'p' => (if c.hour < 12 { "AM" } else { "PM" }).to_owned(),
        b'P' => (if c.hour < 12 { "am" } else { "pm" }).to_owned(),
        b'r' => whole("%I:%M:%S %p"),
        b'R' => whole("%H:%M"),
        b't' => "\t".to_owned(),
        b'T' | b'X' => whole("%H:%M:%S"),
        b'%' => "%".to_owned(),
        _ => return None,
    })
}

/// The names of zones are not known here: `GMT` for `utime`, `UTC` or hours for `ltime`.
fn zone_name(offset: Option<i32>) -> String {
    match offset {
        None => "GMT".to_owned(),
        Some(0) => "UTC".to_owned(),
        Some(offset) => zone(offset),
    }
}
