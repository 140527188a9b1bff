//! Names of fields as odd peers want to see them (`h1-case-adjust`). Built once for a plan, and
//! there only for proxies whose peers are said to be odd.

use std::collections::HashMap;

/// Spellings by names in lower case.
pub(crate) struct Spellings(HashMap<Box<[u8]>, Box<[u8]>>);

impl Spellings {
    /// Compiles the pairs of a plan; `None` where there is nothing to respell.
    pub(super) fn compile(pairs: &[(String, String)]) -> Option<Self> {
        let boxed = |text: &str| text.as_bytes().to_vec().into_boxed_slice();
        let pairs = pairs.iter();
        let spellings: HashMap<_, _> = pairs
            .map(|(name, spelling)| (boxed(&name.to_ascii_lowercase()), boxed(spelling)))
            .collect();
        (!spellings.is_empty()).then_some(Self(spellings))
    }

    /// How a name is to be written, where it is another than in lower case.
    pub(super) fn of(&self, name: &[u8]) -> Option<&[u8]> {
        self.0.get(name).map(|spelling| &**spelling)
    }
}

#[cfg(test)]
mod tests {
    use super::Spellings;

    #[test]
    fn a_name_is_written_as_it_is_said() {
        let pairs = [("Host".to_owned(), "HOST".to_owned())];
        let spellings = Spellings::compile(&pairs).unwrap();
        assert_eq!(spellings.of(b"host"), Some(&b"HOST"[..]));
        assert_eq!(spellings.of(b"x-host"), None);
        assert!(Spellings::compile(&[]).is_none());
    }
}
