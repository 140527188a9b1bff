//! The Gregorian calendar.

/// A moment, taken apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1..=12
    pub(crate) month: u8,
    /// 1..=31
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
    /// 0 is Sunday.
    pub(crate) weekday: u8,
    /// 0 is the first of January.
    pub(crate) yearday: u16,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// Seconds of a day.
const DAY: i64 = 86_400;

impl Civil {
    /// Takes a moment apart. Those outside the years 1 to 9999 are cut to the nearest inside.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "every value is the remainder of a small divisor"
    )]
    pub(crate) fn of(at: i64) -> Self {
        let at = at.clamp(-62_135_596_800, 253_402_300_799);
        let (days, second) = (at.div_euclid(DAY), at.rem_euclid(DAY));
        // Days counted from 0000-03-01, so that leap days end a year (a 400-year cycle has 146,097).
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * march_month + 2) / 5 + 1;
        let month = if march_month < 10 {
            march_month + 3
        } else {
            march_month - 9
        };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let yearday = if month <= 2 {
            day_of_year - 306
        } else {
            day_of_year + 59 + i64::from(leap)
        };
        Self {
            year,
            month: month as u8,
            day: day as u8,
            hour: (second / 3600) as u8,
            minute: (second / 60 % 60) as u8,
            second: (second % 60) as u8,
            weekday: (days + 4).rem_euclid(7) as u8,
            yearday: yearday as u16,
        }
    }

    /// `Jan`
    pub(crate) fn month_name(&self) -> &'static str {
        self.month_full_name().get(..3).unwrap_or_default()
    }

    /// `January`
    pub(crate) fn month_full_name(&self) -> &'static str {
        MONTHS
            .get(usize::from(self.month).wrapping_sub(1))
            .copied()
            .unwrap_or_default()
    }

    /// `Sun`
    pub(crate) fn weekday_name(&self) -> &'static str {
        self.weekday_full_name().get(..3).unwrap_or_default()
    }

    /// `Sunday`
    pub(crate) fn weekday_full_name(&self) -> &'static str {
        WEEKDAYS
            .get(usize::from(self.weekday))
            .copied()
            .unwrap_or_default()
    }

    /// The year and week of ISO 8601: week 1 is the one with the year's first Thursday.
    pub(crate) fn iso_week(&self) -> (i64, i64) {
        let yearday = i64::from(self.yearday);
        let monday_based = (i64::from(self.weekday) + 6) % 7;
        let week = (yearday - monday_based + 10) / 7;
        if week < 1 {
            let year = self.year - 1;
            return (year, weeks_of(year));
        }
        if week > weeks_of(self.year) {
            (self.year + 1, 1)
        } else {
            (self.year, week)
        }
    }
}

/// 52 or 53: a year has 53 weeks when it ends or the one before it ended on a Thursday.
fn weeks_of(year: i64) -> i64 {
    let last_weekday = |year: i64| (year + year / 4 - year / 100 + year / 400) % 7;
    52 + i64::from(last_weekday(year) == 4 || last_weekday(year - 1) == 3)
}
