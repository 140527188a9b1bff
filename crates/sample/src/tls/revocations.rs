//! A list of revoked certificates (RFC 5280, 5.1) as operators are told of it.

use isthmus_proto::der::{Value, Values, tag};

use super::certificate::{algorithm, number};
use super::distinguished_name::Name;

/// The parts of a list that are asked for.
#[derive(Debug, Clone)]
pub struct Revocations<'a> {
    /// 1 or 2.
    pub version: i64,
    /// Who issued it.
    pub issuer: Name<'a>,
    /// When it was made.
    pub this_update: Value<'a>,
    /// When the next one is due.
    pub next_update: Option<Value<'a>>,
    /// Serial numbers, and when each was revoked.
    pub revoked: Vec<(&'a [u8], Value<'a>)>,
    signature: &'a [u8],
}

impl<'a> Revocations<'a> {
    /// Reads a list; `None` where the bytes are none.
    #[must_use]
    pub fn read(der: &'a [u8]) -> Option<Self> {
        let list = Values(der).of(tag::SEQUENCE)?;
        let mut fields = list.inside().of(tag::SEQUENCE)?.inside();
        let version = fields.of(tag::INTEGER);
        let signature = fields.of(tag::SEQUENCE)?.inside().of(tag::OID)?.content;
        let issuer = Name::new(fields.of(tag::SEQUENCE)?);
        let this_update = fields.next()?;
        let next = fields
            .of(tag::UTC_TIME)
            .or_else(|| fields.of(tag::GENERALIZED_TIME));
        let revoked = fields.of(tag::SEQUENCE).into_iter().flat_map(Value::inside);
        Some(Self {
            version: version.map_or(0, |value| number(value.content)) + 1,
            issuer,
            this_update,
            next_update: next,
            revoked: revoked
                .filter_map(|each| {
                    let mut parts = each.inside();
                    Some((parts.of(tag::INTEGER)?.content, parts.next()?))
                })
                .collect(),
            signature,
        })
    }

    /// The name of the algorithm that it is signed with.
    #[must_use]
    pub fn signature_algorithm(&self) -> Option<&'static str> {
        algorithm(self.signature)
    }
}
