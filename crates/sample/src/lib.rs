//! Samples: what rules, balancing and logs know about a session. An expression is a fetch, which
//! asks the session's [`Context`] for a value, and converters, which change it; a [`Program`]
//! holds ACLs and says whether conditions hold; a [`Format`] writes a log line.
//!
//! Nothing here opens a socket, reads a clock or draws a random number: all of that is asked of
//! the context, so that an expression gives the same value for the same context. (The random bytes
//! that stand for a content key which cannot be read, in `jose`, are seen by nobody.)

#![forbid(unsafe_code)]

mod alias;
mod args;
mod assignment;
mod cast;
mod cipher;
mod condition;
mod context;
mod convert;
mod date;
mod encoding;
mod expression;
mod facts;
mod fetch;
mod format;
mod guesses;
mod jose;
mod kind;
mod password;
mod pem;
mod registry;
mod table;
mod tls;
mod userlist;
mod value;
mod variable;
mod vocabulary;

pub use alias::aliases;
pub use args::{ArgValue, Args, CompileEnv};
pub use assignment::Assignment;
pub use cast::{can_cast, cast};
pub use condition::{CompiledCondition, LineList, Program, Verdict};
pub use context::{Content, Context, Nowhere, Payload, Side};
pub use convert::substitute;
pub use date::parse_http_date;
pub use expression::{Compiled, Fetched};
pub use facts::{
    BackendNumber, End, FrontendNumber, Held, Multiplexed, Number, ServerNumber, TcpInfo, Text,
};
pub use format::Format;
pub use jose::{Allowed, Certificates, Jose};
pub use kind::{Kind, Validity};
pub use registry::{Converter, Fetch, Param, converters, fetches, find_converter, find_fetch};
pub use table::table_key;
pub use tls::{
    Certificate, Distrust, Greeting, HandshakeError, Lists, Name, Revocations, SecretLabel,
    TlsFacts, TlsNeeds,
};
pub use userlist::Users;
pub use value::{Bytes, Sample};
pub use variable::{Names, Scope, VarRef, Variables};
pub use vocabulary::{
    AclWord, AliasWord, ArgWord, ConverterWord, FetchWord, MethodWord, Vocabulary, vocabulary,
};
