//! The keys of a batch as a set compares them: as they stand there, or folded, reversed, decoded.

use crate::batch::Batch;

/// Keys by row.
#[derive(Debug)]
pub(crate) enum Keys {
    /// As the batch holds them.
    Plain,
    /// Changed: the bytes, and where each row's end.
    Own(Vec<u8>, Vec<usize>),
}

impl Keys {
    /// Keys that each row's text is changed to.
    pub(crate) fn changed(batch: &Batch, mut change: impl FnMut(&[u8], &mut Vec<u8>)) -> Self {
        let mut bytes = Vec::new();
        let mut ends = Vec::with_capacity(batch.len());
        for row in batch.numbers() {
            change(batch.key(row), &mut bytes);
            ends.push(bytes.len());
        }
        Self::Own(bytes, ends)
    }

    /// Keys without regard to case, if that is asked for.
    pub(crate) fn folded(batch: &Batch, icase: bool) -> Self {
        if icase {
            Self::changed(batch, |key, out| {
                out.extend(key.iter().map(u8::to_ascii_lowercase));
            })
        } else {
            Self::Plain
        }
    }

    /// The key of a row.
    pub(crate) fn get<'k>(&'k self, batch: &'k Batch, row: u32) -> &'k [u8] {
        match self {
            Self::Plain => batch.key(row),
            Self::Own(bytes, ends) => {
                let at = row as usize;
                let start = at.checked_sub(1).and_then(|before| ends.get(before));
                let end = ends.get(at).copied().unwrap_or(0);
                bytes
                    .get(start.copied().unwrap_or(0)..end)
                    .unwrap_or_default()
            }
        }
    }
}
