//! The offset of local time, which only the C library knows.

/// Seconds to add to UTC for local time, at a moment given in seconds since 1970.
#[must_use]
pub fn utc_offset(at: i64) -> i32 {
    // SAFETY: all-zero is a value of this plain C structure; both pointers are live for the call.
    let local = unsafe {
        let mut local: libc::tm = std::mem::zeroed();
        libc::localtime_r(&raw const at, &raw mut local);
        local
    };
    i32::try_from(local.tm_gmtoff).unwrap_or(0)
}
