//! Dates as logs and converters write them.

mod civil;
mod http;
mod strftime;

pub(crate) use civil::Civil;
pub use http::parse as parse_http_date;
pub(crate) use strftime::{Moment, strftime};

/// `06/Feb/2009:12:14:14.655`: `%t`, `%tr`. The offset of local time is part of the moment.
pub(crate) fn with_millis(at: i64, millis: i64) -> String {
    format!("{}.{millis:03}", without_zone(at))
}

/// `06/Feb/2009:12:14:14 +0100`: `%T`, `%Tl`, `%trg`, `%trl`. The offset is part of the moment.
pub(crate) fn with_zone(at: i64, offset: i32) -> String {
    format!("{} {}", without_zone(at), zone(offset))
}

/// `+0100`
pub(crate) fn zone(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.unsigned_abs() / 60;
    format!("{sign}{:02}{:02}", minutes / 60, minutes % 60)
}

fn without_zone(at: i64) -> String {
    let c = Civil::of(at);
    let (d, m, y) = (c.day, c.month_name(), c.year);
    format!(
        "{d:02}/{m}/{y:04}:{:02}:{:02}:{:02}",
        c.hour, c.minute, c.second
    )
}

/// The date of HTTP headers (RFC 9110, section 5.6.7), with a fraction of a second where the unit,
/// given in microseconds, is smaller than one.
pub(crate) fn http_date(at: i64, unit: i64) -> String {
    let per_second = 1_000_000 / unit.clamp(1, 1_000_000);
    let c = Civil::of(at.div_euclid(per_second));
    let fraction = at.rem_euclid(per_second);
    let fraction = match per_second {
        1 => String::new(),
        1_000 => format!(".{fraction:03}"),
        _ => format!(".{fraction:06}"),
    };
    let (weekday, day, month, year) = (c.weekday_name(), c.day, c.month_name(), c.year);
    let (hour, minute, second) = (c.hour, c.minute, c.second);
    format!("{weekday}, {day:02} {month} {year:04} {hour:02}:{minute:02}:{second:02}{fraction} GMT")
}
