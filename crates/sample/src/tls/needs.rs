//! What of a connection's TLS a configuration asks for, so that the rest need not be kept.

/// Gathered while expressions and formats are compiled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TlsNeeds {
    /// Anything beyond whether there is TLS at all.
    pub facts: bool,
    /// The peer's certificates.
    pub peer: bool,
    /// The authority that the client's certificate comes from.
    pub root: bool,
    /// Our own certificate.
    pub own: bool,
    /// What both hellos say in the clear: randoms, session identifier.
    pub hellos: bool,
    /// Secrets that key logs are made of.
    pub secrets: bool,
    /// The master secret of TLS 1.2.
    pub master: bool,
    /// The first Finished message of TLS 1.2.
    pub unique: bool,
}

impl TlsNeeds {
    /// What either asks for.
    pub fn add(&mut self, more: Self) {
        self.facts |= more.facts;
        self.peer |= more.peer;
        self.root |= more.root;
        self.own |= more.own;
        self.hellos |= more.hellos;
        self.secrets |= more.secrets;
        self.master |= more.master;
        self.unique |= more.unique;
    }
}
