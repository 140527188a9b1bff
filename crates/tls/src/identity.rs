//! Whether lines of two plans mean the same: what they say, with the contents of files in the place of
//! their indexes. What means the same keeps its sessions when files are replaced while running.

use aws_lc_rs::digest::{Context, SHA256};
use isthmus_plan::tls::{
    BindTls, BindTlsSettings, ClientRules, ClientVerification, Secret, ServerTls,
};

use crate::store::Store;

/// What tells the contents of two files apart.
pub(crate) type Digest = [u8; 32];

/// The digest of a file that consists of parts.
pub(crate) fn digest(parts: &[Option<&[u8]>]) -> Digest {
    let mut context = Context::new(&SHA256);
    for part in parts {
        // Lengths keep the parts apart; one that is missing is not one that is empty.
        let length = part.map_or(u64::MAX, |part| part.len() as u64);
        context.update(&length.to_be_bytes());
        context.update(part.unwrap_or_default());
    }
    let mut found = [0; 32];
    found.copy_from_slice(context.finish().as_ref());
    found
}

/// The digest of what is demanded of clients, by the contents of files and whatever their order: equal
/// for lines, processes and reloads that would believe the same clients.
pub(crate) fn demands(said: &ClientRules, store: &Store) -> Digest {
    if said.verify == ClientVerification::None {
        return digest(&[]);
    }
    let contents = |files: Vec<usize>, of: fn(&Store, usize) -> Digest| {
        let mut found: Vec<Digest> = files.into_iter().map(|at| of(store, at)).collect();
        found.sort_unstable();
        found.dedup();
        found.concat()
    };
    let authorities = [&said.authorities[..], &said.hidden_authorities].concat();
    let authorities = contents(authorities, Store::authority_digest);
    let revocations = contents(said.revocations.clone(), Store::revocation_digest);
    let words = format!(
        "{:?} {:?} {:?} {:?}",
        said.verify, said.schemes, said.ignored, said.ignored_in_chain
    );
    digest(&[
        Some(&authorities),
        Some(&revocations),
        Some(words.as_bytes()),
    ])
}

/// What a line, or a part of it, comes to.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Identity<T> {
    said: T,
    files: Vec<Digest>,
}

/// What decides whether sessions may be resumed.
pub(crate) type Policy = Identity<(BindTlsSettings, Vec<Secret>, usize, u32)>;

impl Policy {
    /// That of settings of a bind line; its certificates do not matter.
    pub(crate) fn new(said: &BindTlsSettings, line: &BindTls, store: &Store) -> Self {
        let mut told = Telling::of(store);
        let mut said = said.clone();
        told.settings(&mut said);
        Self {
            said: (said, line.ticket_keys.clone(), line.sessions, line.lifetime),
            files: told.files,
        }
    }
}

impl Identity<BindTls> {
    /// That of a bind line.
    pub(crate) fn of_bind(line: &BindTls, store: &Store) -> Self {
        let mut told = Telling::of(store);
        let mut said = line.clone();
        for settings in &mut said.settings {
            told.settings(settings);
        }
        for entry in &mut said.entries {
            told.certificate(&mut entry.certificate);
        }
        if let Some(generation) = &mut said.generation {
            told.certificate(&mut generation.authority);
        }
        Self {
            said,
            files: told.files,
        }
    }
}

impl Identity<ServerTls> {
    /// That of a server line.
    pub(crate) fn of_server(line: &ServerTls, store: &Store) -> Self {
        let mut told = Telling::of(store);
        let mut said = line.clone();
        told.list(&mut said.authorities, Store::authority_digest);
        told.list(&mut said.revocations, Store::revocation_digest);
        if let Some(own) = &mut said.certificate {
            told.certificate(own);
        }
        Self {
            said,
            files: told.files,
        }
    }
}

/// Puts digests in the place of indexes.
struct Telling<'s> {
    store: &'s Store,
    files: Vec<Digest>,
}

impl<'s> Telling<'s> {
    fn of(store: &'s Store) -> Self {
        Self {
            store,
            files: Vec::new(),
        }
    }

    fn certificate(&mut self, at: &mut usize) {
        let held = self.store.certificate(*at);
        self.files
            .push(held.map(|held| held.digest).unwrap_or_default());
        *at = 0;
    }

    fn settings(&mut self, said: &mut BindTlsSettings) {
        self.list(&mut said.client.authorities, Store::authority_digest);
        self.list(&mut said.client.hidden_authorities, Store::authority_digest);
        self.list(&mut said.client.revocations, Store::revocation_digest);
    }

    fn list(&mut self, indexes: &mut [usize], of: fn(&Store, usize) -> Digest) {
        for at in indexes {
            self.files.push(of(self.store, *at));
            *at = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart() {
        let whole = digest(&[Some(b"ab"), None]);
        for other in [
            digest(&[Some(b"a"), Some(b"b")]),
            digest(&[Some(b"ab"), Some(b"")]),
            digest(&[Some(b"ab")]),
            digest(&[None, Some(b"ab")]),
        ] {
            assert_ne!(whole, other);
        }
        assert_eq!(whole, digest(&[Some(b"ab"), None]));
    }
}
