//! The dates that stand in front of log lines, in local time: `Nov  1 04:33:48` and
//! `2026-11-01T04:33:48.497804+00:00`. Reads no clock and no time zone: both are given.

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Local time beyond which four digits do not hold the year: 0000-03-01 and the end of 9999.
const REACH: (i64, i64) = (-62_162_035_200, 253_402_300_799);

const MONTHS: [&[u8; 3]; 12] = [
    b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec",
];

/// A moment in local time, taken apart (proleptic Gregorian calendar).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Local {
    year: u64,
    /// 1..=12
    month: u64,
    /// 1..=31
    day: u64,
    second_of_day: u64,
    microsecond: u64,
    /// Seconds east of UTC.
    offset: i32,
}

impl Local {
    /// `wall_us` is in microseconds since 1970 UTC, `offset` in seconds east of UTC. Moments
    /// outside the years 0 to 9999 are cut to their end.
    pub(crate) fn of(wall_us: u64, offset: i32) -> Self {
        let seconds = i64::try_from(wall_us / 1_000_000).unwrap_or(i64::MAX);
        let local = seconds
            .saturating_add(i64::from(offset))
            .clamp(REACH.0, REACH.1);
        // Days are counted from 0000-03-01, so that the leap day ends a year; 719,468 days lie
        // between that and 1970, and 146,097 make the 400 years after which the calendar repeats.
        let days = (local.div_euclid(DAY) + 719_468).unsigned_abs();
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let from_march = (5 * day_of_year + 2) / 153;
        let month = if from_march < 10 {
            from_march + 3
        } else {
            from_march - 9
        };
        Self {
            year: era * 400 + year_of_era + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * from_march + 2) / 5 + 1,
            second_of_day: local.rem_euclid(DAY).unsigned_abs(),
            microsecond: wall_us % 1_000_000,
            offset,
        }
    }

    /// `Nov  1 04:33:48`, as RFC 3164 writes it (section 4.1.2).
    pub(crate) fn write_bsd(&self, out: &mut Vec<u8>) {
        let index = usize::try_from(self.month.saturating_sub(1)).unwrap_or(0);
        out.extend_from_slice(MONTHS.get(index).copied().unwrap_or(b"Jan"));
        out.push(b' ');
        if self.day < 10 {
            out.push(b' ');
            push_padded(out, self.day, 1);
        } else {
            push_padded(out, self.day, 2);
        }
        out.push(b' ');
        self.write_time(out);
    }

    /// `2026-11-01T04:33:48.497804+00:00`, as RFC 5424 writes it (section 6.2.3).
    pub(crate) fn write_iso(&self, out: &mut Vec<u8>) {
        push_padded(out, self.year, 4);
        out.push(b'-');
        push_padded(out, self.month, 2);
        out.push(b'-');
        push_padded(out, self.day, 2);
        out.push(b'T');
        self.write_time(out);
        out.push(b'.');
        push_padded(out, self.microsecond, 6);
        out.push(if self.offset < 0 { b'-' } else { b'+' });
        let minutes = u64::from(self.offset.unsigned_abs()) / 60;
        push_padded(out, minutes / 60, 2);
        out.push(b':');
        push_padded(out, minutes % 60, 2);
    }

    fn write_time(&self, out: &mut Vec<u8>) {
        push_padded(out, self.second_of_day / 3_600, 2);
        out.push(b':');
        push_padded(out, self.second_of_day / 60 % 60, 2);
        out.push(b':');
        push_padded(out, self.second_of_day % 60, 2);
    }
}

/// The last `width` (at most 20) decimal digits of a number, with leading zeroes.
pub(crate) fn push_padded(out: &mut Vec<u8>, number: u64, width: u32) {
    for place in (0..width.min(20)).rev() {
        let digit = number / 10_u64.saturating_pow(place) % 10;
        out.push(b'0' + u8::try_from(digit).unwrap_or(0));
    }
}

/// A number in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u32) {
    let width = number.checked_ilog10().map_or(1, |power| power + 1);
    push_padded(out, u64::from(number), width);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(seconds: u64, offset: i32) -> (String, String) {
        let local = Local::of(seconds * 1_000_000 + 7, offset);
        let (mut bsd, mut iso) = (Vec::new(), Vec::new());
        local.write_bsd(&mut bsd);
        local.write_iso(&mut iso);
        (
            String::from_utf8(bsd).unwrap(),
            String::from_utf8(iso).unwrap(),
        )
    }

    #[test]
    fn moments_are_written_as_date_writes_them() {
        // From `TZ=... date -d @SECONDS`.
        let cases = [
            (0, 0, "Jan  1 00:00:00", "1970-01-01T00:00:00.000007+00:00"),
            (
                951_782_399,
                0,
                "Feb 28 23:59:59",
                "2000-02-28T23:59:59.000007+00:00",
            ),
            (
                951_782_400,
                0,
                "Feb 29 00:00:00",
                "2000-02-29T00:00:00.000007+00:00",
            ),
            (
                1_709_251_200,
                0,
                "Mar  1 00:00:00",
                "2024-03-01T00:00:00.000007+00:00",
            ),
            (
                1_798_761_599,
                0,
                "Dec 31 23:59:59",
                "2026-12-31T23:59:59.000007+00:00",
            ),
            (
                1_798_761_599,
                19_800,
                "Jan  1 05:29:59",
                "2027-01-01T05:29:59.000007+05:30",
            ),
            (
                1_798_761_600,
                -12_600,
                "Dec 31 20:30:00",
                "2026-12-31T20:30:00.000007-03:30",
            ),
            (
                4_107_542_400,
                0,
                "Mar  1 00:00:00",
                "2100-03-01T00:00:00.000007+00:00",
            ),
        ];
        for (seconds, offset, bsd, iso) in cases {
            assert_eq!(written(seconds, offset), (bsd.into(), iso.into()));
        }
    }

    #[test]
    fn no_moment_and_no_offset_is_too_far() {
        for wall in [0, 1, u64::MAX / 2, u64::MAX] {
            for offset in [i32::MIN, -1, 0, 1, i32::MAX] {
                let mut out = Vec::new();
                Local::of(wall, offset).write_iso(&mut out);
                assert_eq!(out.len(), 32);
            }
        }
    }

    #[test]
    fn numbers_are_written_without_leading_zeroes() {
        for number in [0, 7, 10, 99, 100, 32_768, u32::MAX] {
            let mut out = Vec::new();
            push_number(&mut out, number);
            assert_eq!(String::from_utf8(out).unwrap(), number.to_string());
        }
    }
}
