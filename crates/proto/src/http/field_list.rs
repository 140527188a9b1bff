//! A list of fields, however it is stored.

/// A message's fields in the order received or to be sent, names in lower case.
pub trait FieldList {
    /// Calls `each` with the name and value of every field, until it returns false.
    fn for_each<'a>(&'a self, each: &mut dyn FnMut(&'a [u8], &'a [u8]) -> bool);

    /// The value of the first field of a name, given in lower case.
    fn first<'a>(&'a self, name: &[u8]) -> Option<&'a [u8]> {
        let mut found = None;
        self.for_each(&mut |field, value| {
            let hit = field == name;
            if hit {
                found = Some(value);
            }
            !hit
        });
        found
    }
}

/// The elements of a comma-separated value, without the whitespace around them; empty ones are
/// given too (RFC 9110, 5.6.1).
pub fn elements(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(trim)
}

/// Strips the whitespace that HTTP allows around values: spaces and tabs only.
fn trim(mut text: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = text {
        text = rest;
    }
    text
}
