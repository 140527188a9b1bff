//! Caches (manual, section 6): `http-request cache-use` and `http-response cache-store` at work.
//!
//! A key holds the client's source namespace: what one tenant's server said is never served to
//! another tenant (namespaces.md).

mod rules;
mod serve;
mod store;
mod storing;

use std::sync::Arc;

use isthmus_plan::http as from;
use isthmus_proto::http1::{StartLine, View as Head};

use crate::session::Session;
use rules::Asked;
use store::{Store, Variant};

pub(crate) use serve::Source;
pub(crate) use storing::Storing;

/// A section `cache`, shared by the workers and kept across plans that do not change it.
#[derive(Debug)]
pub(crate) struct Cache {
    pub(crate) plan: from::Cache,
    store: Store,
}

impl Cache {
    pub(crate) fn new(plan: &from::Cache) -> Self {
        Self {
            plan: plan.clone(),
            store: Store::new(plan.size, plan.variants),
        }
    }

    /// What it holds.
    pub(crate) fn facts(&self, now: u64) -> isthmus_plan::CacheFacts {
        isthmus_plan::CacheFacts {
            name: self.plan.name.clone(),
            size: self.plan.size,
            objects: self.store.facts(now),
        }
    }
}

/// What a request asked a cache for and did not find there.
#[derive(Debug)]
pub(crate) struct Wanted {
    cache: Arc<Cache>,
    key: Vec<u8>,
    variant: Variant,
    unstored: bool,
}

impl Session {
    /// What a response is stored under: the tenant, the host and the target.
    fn cache_key(&self, head: &Head<'_>, asked: &Asked) -> Vec<u8> {
        let mut key = Vec::new();
        if let Some(namespace) = &self.source_namespace {
            key.extend_from_slice(namespace.name.as_bytes());
            // Another namespace may bear the name by now.
            if let Some(factory) = namespace.factory() {
                let identity = factory.identity();
                key.push(0);
                key.extend_from_slice(&identity.device.to_ne_bytes());
                key.extend_from_slice(&identity.inode.to_ne_bytes());
            }
        }
        key.push(0);
        key.extend_from_slice(&asked.host);
        key.push(0);
        key.extend_from_slice(head.part(StartLine::Target));
        key
    }
}
