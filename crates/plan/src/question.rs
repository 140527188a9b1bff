//! What crosses between the engine and whoever knows the names' addresses (`do-resolve`): the
//! question down to Python; its answer is an address or none.

use serde::{Deserialize, Serialize};

use crate::bytestring::ByteString;
use crate::rule::Family;

/// A name whose address is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NameQuestion {
    /// The section `resolvers` that is to be asked.
    pub resolvers: String,
    /// The number of the plan under which the rule runs, as `ApplyReport` has it.
    pub generation: u64,
    /// The name, as the rule's expression gave it.
    pub name: ByteString,
    /// Of which family an address is preferred.
    pub prefer: Family,
}
