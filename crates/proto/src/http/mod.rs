//! What every version of HTTP shares (RFC 9110): a head is a start line (or pseudo fields) and a
//! list of fields, a body is a stream of frames, and behind it may stand trailers. The versions
//! differ in how they write that down: [`crate::http1`] is the first.

mod authority;
mod body;
mod cookie;
mod field_list;
mod field_name;
mod method;
mod tables;
mod target;
mod version;

pub use authority::Authority;
pub use body::Body;
pub use cookie::{CookiePair, cookies, set_cookie, without};
pub use field_list::{FieldList, elements};
pub use field_name::{FieldName, is_field_name};
pub use method::Method;
pub use target::{Form, Target};
pub use version::Version;

pub(crate) use tables::{lower_token, pchar_host, token};
