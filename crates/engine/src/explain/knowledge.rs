//! Which fetches a description can answer, and what is missing where it cannot. What is not named
//! here needs a running proxy or a real client, and is not known.

use isthmus_plan::explain::{
    Carried, Described, DescribedEnd, DescribedRequest, DescribedVariable,
};
use isthmus_plan::{Arg, Call, Expression, FormatItem, Frontend};

use super::Explainer;

/// Fetches of the start line of a request, whatever its version.
const TARGET: &[&str] = &[
    "path",
    "pathq",
    "query",
    "base",
    "base32",
    "baseq",
    "url_param",
    "urlp",
    "urlp_val",
];
/// Fetches of the target as it came, which in HTTP/2 has scheme and authority before it.
const WHOLE_TARGET: &[&str] = &["url", "url32", "url_ip", "url_port", "capture.req.uri"];
/// Fetches of the version.
const VERSION: &[&str] = &["req.ver", "req_ver", "capture.req.ver", "fc_http_major"];
/// Fetches of fields by their name.
const FIELD: &[&str] = &[
    "hdr",
    "hdr_cnt",
    "hdr_ip",
    "hdr_val",
    "req.fhdr",
    "req.fhdr_cnt",
    "req.hdr",
    "req.hdr_cnt",
    "req.hdr_ip",
    "req.hdr_val",
];
/// Fetches of cookies.
const COOKIE: &[&str] = &[
    "cook",
    "cook_cnt",
    "cook_val",
    "cookie",
    "req.cook",
    "req.cook_cnt",
    "req.cook_names",
    "req.cook_val",
];
/// Fetches that need nothing but the configuration and the bind.
const CONSTANT: &[&str] = &[
    "always_false",
    "always_true",
    "bin",
    "bool",
    "fe_defbe",
    "fe_id",
    "fe_name",
    "be_id",
    "be_name",
    "http_first_req",
    "int",
    "ipv4",
    "ipv6",
    "meth",
    "nbproc",
    "so_id",
    "so_name",
    "src_netns",
    "ssl_fc",
    "ssl_fc_has_sni",
    "ssl_fc_sni",
    "str",
    "wait_end",
];
/// Converters that look at more than the sample.
const IMPURE: &[&str] = &["set-var", "unset-var", "in_table", "when"];

/// What an expression needs that is not known.
pub(super) fn of_expression(
    explainer: &Explainer,
    connection: &Described,
    expression: &Expression,
    needs: &mut Vec<String>,
) {
    of_fetch(explainer, connection, &expression.fetch, needs);
    for converter in &expression.converters {
        of_variables(explainer, connection, converter, needs);
        let name = &*converter.name;
        if IMPURE.contains(&name) || name.starts_with("table_") {
            needs.push(running(name));
        }
    }
}

/// What an item of a format needs that is not known.
pub(super) fn of_item(
    explainer: &Explainer,
    connection: &Described,
    item: &FormatItem,
    needs: &mut Vec<String>,
) {
    match item {
        FormatItem::Literal { .. } => {}
        FormatItem::Expression { expression, .. } => {
            of_expression(explainer, connection, expression, needs);
        }
        FormatItem::Alias { name, .. } => needs.push(running(&format!("%{name}"))),
        FormatItem::Encoded { item, .. } => of_item(explainer, connection, item, needs),
        FormatItem::Record { .. } => needs.push(running("a record")),
    }
}

/// The part of the buffer that an expression looks at: offset and length.
pub(super) fn window(expression: &Expression) -> Option<(usize, usize)> {
    let call = &expression.fetch;
    if !matches!(&*call.name, "req.payload" | "payload") {
        return None;
    }
    let size = |at: usize| match call.args.get(at) {
        Some(Arg::Int { value }) => usize::try_from(*value).ok(),
        _ => None,
    };
    Some((size(0)?, size(1)?))
}

/// Whether an expression asks for ACLs.
pub(super) fn asks_acls(expression: &Expression) -> bool {
    expression.fetch.name == "acl"
}

fn running(name: &str) -> String {
    format!("{name}: only a running proxy knows")
}

fn bytes_wanted() -> String {
    "--payload: the bytes that the client sends".to_owned()
}

fn of_fetch(explainer: &Explainer, connection: &Described, call: &Call, needs: &mut Vec<String>) {
    let name = &*call.name;
    match name {
        "acl" => {}
        "var" => of_variables(explainer, connection, call, needs),
        "src" => of_address(&connection.src, needs),
        "dst" => of_address(&connection.dst, needs),
        "src_port" => of_port(&connection.src, needs),
        "dst_port" => of_port(&connection.dst, needs),
        "fc_rcvd_proxy" if !chooses_whom_to_believe(explainer, connection) => {}
        _ if CONSTANT.contains(&name) => {}
        _ if name.starts_with("ssl_fc")
            || name.starts_with("ssl_c_")
            || name.starts_with("ssl_f_") =>
        {
            of_tls(connection, name, needs);
        }
        _ if name.starts_with("req.ssl_") || name.starts_with("req_ssl_") => {
            of_hello(connection, name, needs);
        }
        _ if is_of_request(name) => of_request(explainer, connection, call, needs),
        _ if is_of_buffer(name) => of_buffer(explainer, connection, needs),
        _ => needs.push(running(name)),
    }
}

fn is_of_request(name: &str) -> bool {
    [TARGET, WHOLE_TARGET, VERSION, FIELD, COOKIE]
        .iter()
        .any(|names| names.contains(&name))
        || matches!(
            name,
            "method"
                | "capture.req.method"
                | "req.proto_http"
                | "req_proto_http"
                | "http_auth"
                | "http_auth_group"
        )
}

fn is_of_buffer(name: &str) -> bool {
    matches!(
        name,
        "req.len" | "req_len" | "payload" | "req.payload" | "payload_lv" | "req.payload_lv"
    ) || name.contains("rdp_cookie")
}

/// Whether the bind believes some clients' PROXY headers alone (`accept-proxy from`).
fn chooses_whom_to_believe(explainer: &Explainer, connection: &Described) -> bool {
    let frontend = explainer.plan.frontends.get(connection.frontend);
    let bind = frontend.and_then(|frontend| frontend.binds.get(connection.bind));
    bind.is_none_or(|bind| !bind.accept_proxy_from.is_empty())
}

fn of_variables(
    explainer: &Explainer,
    connection: &Described,
    call: &Call,
    needs: &mut Vec<String>,
) {
    for arg in &call.args {
        let name = match arg {
            Arg::Var { name } => name.as_str(),
            // `var` takes its name as text.
            Arg::Str { value } if call.name == "var" => {
                std::str::from_utf8(value.as_bytes()).unwrap_or_default()
            }
            _ => continue,
        };
        let set = connection.variables.iter().find(|(set, _)| set == name);
        if let Some((_, DescribedVariable::Unknown { needs: why })) = set {
            needs.push(why.clone());
        }
        // Variables of the process are other connections' too.
        let assigned = &explainer.plan.global.variables;
        if name.starts_with("proc.") && !assigned.iter().any(|(known, _)| known == name) {
            needs.push(running(name));
        }
    }
}

fn of_address(end: &DescribedEnd, needs: &mut Vec<String>) {
    if end.ip.is_none() && !end.ip_needs.is_empty() {
        needs.push(end.ip_needs.clone());
    }
}

fn of_port(end: &DescribedEnd, needs: &mut Vec<String>) {
    if end.port.is_none() && !end.port_needs.is_empty() {
        needs.push(end.port_needs.clone());
    }
}

fn of_tls(connection: &Described, name: &str, needs: &mut Vec<String>) {
    let Some(tls) = &connection.tls else {
        // Without TLS there is nothing of it, for good.
        return;
    };
    match name {
        "ssl_fc_alpn" if tls.protocol.is_some() => {}
        "ssl_fc_alpn" => needs.push(ALPN.to_owned()),
        _ if name.starts_with("ssl_c_") && !tls.asks_certificate => {}
        _ => needs.push(format!("{name}: only a handshake tells")),
    }
}

const ALPN: &str = "--alpn: the protocols that the client offers";

/// Fetches of a ClientHello in the buffer.
fn of_hello(connection: &Described, name: &str, needs: &mut Vec<String>) {
    match (&connection.carried, name) {
        (Carried::Unknown { needs: why }, _) => needs.push(why.clone()),
        (Carried::Hello { alpn: None, .. }, "req.ssl_alpn") => needs.push(ALPN.to_owned()),
        (
            Carried::Hello { .. },
            "req.ssl_alpn" | "req.ssl_sni" | "req_ssl_sni" | "req.ssl_hello_type"
            | "req_ssl_hello_type",
        )
        | (Carried::Nothing {} | Carried::Request {}, _) => {}
        (Carried::Hello { .. }, _) => {
            needs.push(format!("{name}: only the client's own ClientHello tells"));
        }
        // A ClientHello begins with a record's type, or in the form of SSLv2 with a high bit.
        (Carried::Bytes { bytes }, _)
            if bytes.0.first().is_some_and(|b| *b != 0x16 && *b < 0x80) => {}
        (Carried::Bytes { .. }, _) => needs.push("--sni instead of --payload".to_owned()),
    }
}

/// Fetches of the buffer whose answer depends on more than its beginning.
fn of_buffer(explainer: &Explainer, connection: &Described, needs: &mut Vec<String>) {
    let frontend = explainer.plan.frontends.get(connection.frontend);
    let http = frontend.is_some_and(Frontend::begins_with_http);
    if !http && connection.carried != (Carried::Nothing {}) {
        needs.push(format!("{} all of them", bytes_wanted()));
    }
}

fn of_request(explainer: &Explainer, connection: &Described, call: &Call, needs: &mut Vec<String>) {
    let frontend = explainer.plan.frontends.get(connection.frontend);
    if frontend.is_some_and(|frontend| !frontend.begins_with_http()) {
        match &connection.carried {
            Carried::Request {} => {}
            Carried::Nothing {} | Carried::Hello { .. } => return,
            Carried::Bytes { bytes } if !looks_like_a_request(&bytes.0) => return,
            Carried::Bytes { .. } => return needs.push("--url instead of --payload".to_owned()),
            Carried::Unknown { needs: why } => return needs.push(why.clone()),
        }
    }
    let Some(request) = &connection.request else {
        return needs.push("--url: what is requested".to_owned());
    };
    let name = &*call.name;
    match name {
        "req.proto_http" | "req_proto_http" => {}
        "method" | "capture.req.method" => {
            known(request.method.is_some(), &request.method_needs, needs);
        }
        "http_auth" | "http_auth_group" => of_field(request, "authorization", needs),
        _ if VERSION.contains(&name) => of_version(request, needs),
        _ if COOKIE.contains(&name) => of_field(request, "cookie", needs),
        _ if FIELD.contains(&name) => match call.args.first() {
            Some(Arg::Str { value }) if !value.0.is_empty() => {
                let field = String::from_utf8_lossy(value.as_bytes()).to_lowercase();
                of_field(request, &field, needs);
            }
            _ => needs.push(format!("{name}: all that the client sends")),
        },
        _ => {
            known(request.target.is_some(), &request.target_needs, needs);
            if name.starts_with("base") {
                of_field(request, "host", needs);
            }
            if WHOLE_TARGET.contains(&name) {
                of_version(request, needs);
            }
        }
    }
}

fn of_version(request: &DescribedRequest, needs: &mut Vec<String>) {
    if request.version.is_none() {
        needs.push(ALPN.to_owned());
    }
}

fn known(is: bool, why: &str, needs: &mut Vec<String>) {
    if !is {
        needs.push(why.to_owned());
    }
}

/// A field is known where it is given, or said not to be there.
fn of_field(request: &DescribedRequest, name: &str, needs: &mut Vec<String>) {
    let changed = request
        .changed
        .iter()
        .find(|(field, _)| field == name || field == "*");
    if let Some((_, origin)) = changed {
        needs.push(format!("what {origin} makes of the field {name}"));
        return;
    }
    let given = request.fields.iter().any(|(field, _)| field == name);
    if given || request.absent.iter().any(|field| field == name) {
        return;
    }
    needs.push(match name {
        "cookie" => "--cookie NAME=VALUE, or --cookie '' for none".to_owned(),
        "host" => "--url: the host that is requested".to_owned(),
        _ => format!("--header '{name}: VALUE', or '{name}:' for none"),
    });
}

/// Whether bytes may begin a request: a token and a space, or as much of them as there is (RFC 9112,
/// 3; empty lines before them are skipped), and not the greeting of SSH (RFC 4253, 4.2).
fn looks_like_a_request(bytes: &[u8]) -> bool {
    let line = bytes.trim_ascii_start();
    let other = line.iter().position(|byte| !is_of_token(*byte));
    let ends_well = other.is_none_or(|at| at > 0 && line.get(at) == Some(&b' '));
    ends_well && !line.starts_with(b"SSH-")
}

/// Whether a byte may stand in a token (RFC 9110, 5.6.2).
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::looks_like_a_request;

    #[test]
    fn only_a_token_and_a_space_begin_a_request() {
        for (bytes, may) in [
            (&b"GET / HTTP/1.1"[..], true),
            (b"get ", true),
            (b"PR", true),
            (b"\r\nGET", true),
            (b"", true),
            (b"SSH-2.0-x", false),
            (b"GET\r\n", false),
            (b" GET", true),
            (b"\x16\x03", false),
            (b"a:b", false),
        ] {
            assert_eq!(looks_like_a_request(bytes), may, "{}", bytes.escape_ascii());
        }
    }
}
