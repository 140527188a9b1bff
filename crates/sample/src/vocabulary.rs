//! The language as data: what the configuration's parser must know about fetches, converters, log
//! aliases and match methods, taken from the tables that run them.

use isthmus_plan::MatchMethod;
use serde::Serialize;

use crate::alias::aliases;
use crate::cast::can_cast;
use crate::condition::matched_kind;
use crate::kind::Kind;
use crate::registry::{Param, converters, fetches};

/// Everything that an expression, a condition or a log format may name.
#[derive(Debug, Serialize)]
pub struct Vocabulary {
    /// The fetches, in the order of the registry.
    pub fetches: Vec<FetchWord>,
    /// The converters, in the order of the registry.
    pub converters: Vec<ConverterWord>,
    /// The log aliases.
    pub aliases: Vec<AliasWord>,
    /// The ACL keywords that stand for a fetch and a match method.
    pub acls: Vec<AclWord>,
    /// The match methods.
    pub methods: Vec<MethodWord>,
}

/// A fetch.
#[derive(Debug, Serialize)]
pub struct FetchWord {
    /// Its name.
    pub name: &'static str,
    /// Its arguments as `haproxy -dKall` prints them.
    pub signature: &'static str,
    /// Its arguments, one by one.
    pub args: Vec<ArgWord>,
    /// The type of what it finds.
    pub output: &'static str,
    /// The 22 places where it may stand, `Y` or `.`.
    pub valid: &'static str,
}

/// A converter.
#[derive(Debug, Serialize)]
pub struct ConverterWord {
    /// Its name.
    pub name: &'static str,
    /// Its arguments as `haproxy -dKall` prints them.
    pub signature: &'static str,
    /// Its arguments, one by one.
    pub args: Vec<ArgWord>,
    /// The type it takes.
    pub input: &'static str,
    /// The type of what it gives.
    pub output: &'static str,
}

/// An argument.
#[derive(Debug, Serialize)]
pub struct ArgWord {
    /// Its type: `string`, `integer`, `backend`, `IPv4 mask` ...
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Whether it may be left out.
    pub optional: bool,
}

/// A log alias.
#[derive(Debug, Serialize)]
pub struct AliasWord {
    /// Its name without `%`.
    pub name: &'static str,
    /// Whether a line with it waits for more than the accept.
    pub late: bool,
}

/// An ACL keyword.
#[derive(Debug, Serialize)]
pub struct AclWord {
    /// The keyword.
    pub name: String,
    /// The fetch that it stands for.
    pub fetch: &'static str,
    /// How its samples are compared.
    pub method: MatchMethod,
}

/// A match method.
#[derive(Debug, Serialize)]
pub struct MethodWord {
    /// Its name behind `-m`.
    pub name: MatchMethod,
    /// The types of samples that it takes.
    pub inputs: Vec<&'static str>,
}

/// ACL keywords that stand for a fetch with a method of its own, or under another name.
const ACLS: [(&str, &str, MatchMethod); 13] = [
    ("http_auth_group", "http_auth_group", MatchMethod::Str),
    ("method", "method", MatchMethod::Str),
    ("payload", "req.payload", MatchMethod::Bin),
    ("payload_lv", "req.payload_lv", MatchMethod::Bin),
    ("req.ssl_ver", "req.ssl_ver", MatchMethod::Int),
    ("req_rdp_cookie", "req.rdp_cookie", MatchMethod::Str),
    ("req_rdp_cookie_cnt", "req.rdp_cookie_cnt", MatchMethod::Int),
    ("req_ssl_sni", "req.ssl_sni", MatchMethod::Str),
    ("req_ssl_ver", "req.ssl_ver", MatchMethod::Int),
    ("req_ver", "req.ver", MatchMethod::Str),
    ("resp_ver", "res.ver", MatchMethod::Str),
    ("ssl_fc_sni_end", "ssl_fc_sni", MatchMethod::End),
    ("ssl_fc_sni_reg", "ssl_fc_sni", MatchMethod::Reg),
];

/// ACL keywords with a keyword for every method of text: `path`, `path_beg` ...
const FAMILIES: [(&str, &str); 8] = [
    ("base", "base"),
    ("cook", "req.cook"),
    ("hdr", "req.hdr"),
    ("path", "path"),
    ("scook", "res.cook"),
    ("shdr", "res.hdr"),
    ("url", "url"),
    ("urlp", "urlp"),
];

/// What is put behind a family's name, and the method that it asks for.
const SUFFIXES: [(&str, MatchMethod); 8] = [
    ("", MatchMethod::Str),
    ("_beg", MatchMethod::Beg),
    ("_dir", MatchMethod::Dir),
    ("_dom", MatchMethod::Dom),
    ("_end", MatchMethod::End),
    ("_len", MatchMethod::Len),
    ("_reg", MatchMethod::Reg),
    ("_sub", MatchMethod::Sub),
];

/// Every ACL keyword.
fn acls() -> Vec<AclWord> {
    let single = ACLS.iter().map(|(name, fetch, method)| AclWord {
        name: (*name).to_owned(),
        fetch,
        method: *method,
    });
    let families = FAMILIES.iter().flat_map(|(name, fetch)| {
        SUFFIXES.iter().map(move |(suffix, method)| AclWord {
            name: format!("{name}{suffix}"),
            fetch,
            method: *method,
        })
    });
    single.chain(families).collect()
}

/// The methods, in the order of the manual's section 7.1.
const METHODS: [MatchMethod; 13] = [
    MatchMethod::Found,
    MatchMethod::Bool,
    MatchMethod::Int,
    MatchMethod::Ip,
    MatchMethod::Bin,
    MatchMethod::Len,
    MatchMethod::Str,
    MatchMethod::Sub,
    MatchMethod::Reg,
    MatchMethod::Beg,
    MatchMethod::End,
    MatchMethod::Dir,
    MatchMethod::Dom,
];

/// The types that samples may have.
const KINDS: [Kind; 9] = [
    Kind::Any,
    Kind::Bool,
    Kind::Int,
    Kind::Addr,
    Kind::Ipv4,
    Kind::Ipv6,
    Kind::Str,
    Kind::Bin,
    Kind::Meth,
];

/// The names of the types that a method takes.
fn inputs(method: MatchMethod) -> Vec<&'static str> {
    let wanted = matched_kind(method);
    KINDS
        .iter()
        .filter(|kind| can_cast(**kind, wanted))
        .map(|kind| kind.name())
        .collect()
}

/// Describes the language.
#[must_use]
pub fn vocabulary() -> Vocabulary {
    let args = |params: &mut dyn Iterator<Item = Param>| {
        params
            .map(|param| ArgWord {
                kind: param.kind,
                optional: param.optional,
            })
            .collect()
    };
    Vocabulary {
        fetches: fetches()
            .map(|fetch| FetchWord {
                name: fetch.name,
                signature: fetch.signature,
                args: args(&mut fetch.params()),
                output: fetch.output.name(),
                valid: fetch.valid.columns(),
            })
            .collect(),
        converters: converters()
            .map(|converter| ConverterWord {
                name: converter.name,
                signature: converter.signature,
                args: args(&mut converter.params()),
                input: converter.input.name(),
                output: converter.output.name(),
            })
            .collect(),
        aliases: aliases()
            .map(|(name, late)| AliasWord { name, late })
            .collect(),
        acls: acls(),
        methods: METHODS
            .map(|name| MethodWord {
                name,
                inputs: inputs(name),
            })
            .into(),
    }
}
