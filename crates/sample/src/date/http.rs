//! The three forms in which HTTP writes dates (RFC 9110, 5.6.7).

use super::civil::Civil;

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// Seconds since 1970 of a date; `now`, in the same, tells the century of a year of two digits.
pub fn parse(text: &str, now: i64) -> Option<i64> {
    let (weekday, rest) = text.split_once([',', ' '])?;
    if weekday.len() < 3 || !weekday.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return None;
    }
    let words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
    match *words {
        [day, month, year, time, "GMT"] if year.len() == 4 => moment(year, month, day, time),
        [date, time, "GMT"] => {
            let (day, rest) = date.split_once('-')?;
            let (month, year) = rest.split_once('-')?;
            moment(&century(year, now)?, month, day, time)
        }
        [month, day, time, year] if year.len() == 4 => moment(year, month, day, time),
        _ => None,
    }
}

/// The year that two digits mean: no more than 50 years ahead.
fn century(year: &str, now: i64) -> Option<String> {
    let short = i64::from(number(year, 2)?);
    let this = Civil::of(now).year;
    let year = this - this % 100 + short;
    Some((if year > this + 50 { year - 100 } else { year }).to_string())
}

/// Digits and nothing else.
fn number(text: &str, most: usize) -> Option<u32> {
    let digits = (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok())?
}

fn moment(year: &str, month: &str, day: &str, time: &str) -> Option<i64> {
    let month = i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()? + 1;
    let (year, day) = (i64::from(number(year, 4)?), i64::from(number(day, 2)?));
    let clock: Vec<u32> = time
        .split(':')
        .map(|part| number(part, 2))
        .collect::<Option<_>>()?;
    let [hour @ 0..24, minute @ 0..60, second @ 0..=60] = *clock else {
        return None;
    };
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    let at = days(year, month, day) * 86_400 + seconds;
    // A day that the month does not have would be one of the next.
    let found = Civil::of(at - seconds);
    let real = i64::from(found.day) == day && i64::from(found.month) == month && found.year == year;
    real.then_some(at)
}

/// Days from 1970 to a date: years are counted from March, so that the leap day comes last.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let from_march = (month + 9) % 12;
    let within = (153 * from_march + 2) / 5 + day - 1;
    year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + within - 719_468
}
