//! Which entries are for a name: exact ones, those with a wildcard, and what filters exclude.

use ahash::AHashMap;

/// Whether a name of a certificate or filter is for a host: the same, or with `*` for its first
/// label (manual, `crt`). Case does not matter.
pub(crate) fn fits(name: &str, host: &str) -> bool {
    match name.strip_prefix("*.") {
        Some(domain) => host
            .split_once('.')
            .is_some_and(|(_, rest)| rest.eq_ignore_ascii_case(domain)),
        None => name.eq_ignore_ascii_case(host),
    }
}

/// The entries of a bind line by the names they are for.
#[derive(Debug, Default)]
pub(crate) struct NameTable {
    exact: AHashMap<Box<str>, Vec<usize>>,
    /// By what stands behind `*.`.
    wildcard: AHashMap<Box<str>, Vec<usize>>,
    /// What entries exclude, by entry.
    excluded: AHashMap<usize, Vec<Box<str>>>,
}

impl NameTable {
    /// Adds an entry: for what its filters say, and where all of them exclude, for its own names.
    pub(crate) fn add<'a>(
        &mut self,
        entry: usize,
        filters: &[String],
        own: impl Iterator<Item = &'a str>,
    ) {
        let mut positive = false;
        for filter in filters {
            if let Some(name) = filter.strip_prefix('!') {
                let name = name.to_ascii_lowercase().into_boxed_str();
                self.excluded.entry(entry).or_default().push(name);
            } else {
                positive = true;
                self.insert(filter, entry);
            }
        }
        if !positive && !filters.iter().any(|filter| filter == "!*") {
            for name in own {
                self.insert(name, entry);
            }
        }
    }

    fn insert(&mut self, name: &str, entry: usize) {
        let name = name.to_ascii_lowercase();
        let (map, name) = match name.strip_prefix("*.") {
            Some(domain) => (&mut self.wildcard, domain),
            None => (&mut self.exact, name.as_str()),
        };
        let entries = map.entry(name.into()).or_default();
        if entries.last() != Some(&entry) {
            entries.push(entry);
        }
    }

    /// The entries for a host whose name is in lower case: those that name it, else those with a
    /// wildcard, in the order in which they were added.
    pub(crate) fn find(&self, host: &str) -> Vec<usize> {
        let exact = self.allowed(self.exact.get(host), host);
        if !exact.is_empty() {
            return exact;
        }
        self.wildcards(host)
    }

    /// The entries with a wildcard for a host whose name is in lower case.
    pub(crate) fn wildcards(&self, host: &str) -> Vec<usize> {
        let domain = host.split_once('.').map(|(_, domain)| domain);
        self.allowed(domain.and_then(|domain| self.wildcard.get(domain)), host)
    }

    fn allowed(&self, entries: Option<&Vec<usize>>, host: &str) -> Vec<usize> {
        let entries = entries.into_iter().flatten().copied();
        entries
            .filter(|entry| {
                let excluded = self.excluded.get(entry).into_iter().flatten();
                !excluded.into_iter().any(|name| fits(name, host))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[(&[&str], &[&str])]) -> NameTable {
        let mut table = NameTable::default();
        for (entry, (filters, own)) in rows.iter().enumerate() {
            let filters: Vec<String> = filters.iter().map(ToString::to_string).collect();
            table.add(entry, &filters, own.iter().copied());
        }
        table
    }

    #[test]
    fn an_exact_name_comes_before_a_wildcard() {
        let found = table(&[
            (&[], &["*.example.org", "other"]),
            (&[], &["www.example.org"]),
            (&["WWW.example.org"], &["not.example.org"]),
        ]);
        for (host, entries) in [
            ("www.example.org", &[1, 2][..]),
            ("a.example.org", &[0]),
            ("a.b.example.org", &[]),
            ("example.org", &[]),
            ("other", &[0]),
            ("not.example.org", &[0]),
            ("", &[]),
        ] {
            assert_eq!(found.find(host), entries, "{host}");
        }
    }

    #[test]
    fn filters_exclude_names() {
        let found = table(&[
            (&["!*"], &["fallback"]),
            (&["*.example.org", "!secure.example.org"], &[]),
            (&["!B.own"], &["a.own", "b.own"]),
        ]);
        for (host, entries) in [
            ("fallback", &[][..]),
            ("a.example.org", &[1]),
            ("secure.example.org", &[]),
            ("a.own", &[2]),
            ("b.own", &[]),
        ] {
            assert_eq!(found.find(host), entries, "{host}");
        }
    }
}
