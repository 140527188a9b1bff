//! Every row of `data/http_samples.txt` gives what a real HAProxy was seen to give, or what the
//! row says about Isthmus.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends"
)]

mod support;

use isthmus_plan::{Acl, AclTest, ByteString, MatchMethod};
use isthmus_proto::http1::{RequestHead, ResponseHead, StartLine};
use isthmus_sample::{
    CompileEnv, Context, End, Kind, Names, Number, Program, Sample, Side, Text, Verdict, cast,
    vocabulary,
};
use support::{Message, Table, compile, parse};

#[test]
fn every_recorded_row_gives_what_haproxy_gave() {
    let (mut wrong, mut compared) = (Vec::new(), 0);
    let mut message = String::new();
    for line in include_str!("data/http_samples.txt").lines() {
        if line.starts_with("> ") || line.starts_with("< ") {
            line.clone_into(&mut message);
        }
        if line.is_empty() || line.starts_with(['>', '<', '#']) {
            continue;
        }
        let columns: Vec<&str> = line.split('\t').collect();
        let expected = columns.get(2).copied().unwrap_or(columns[1]);
        compared += 1;
        let actual = answer(&message, columns[0]);
        if actual != expected {
            wrong.push(format!(
                "{message:.60}\n    {}: {expected}, Isthmus {actual}",
                columns[0]
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 500, "only {compared} were compared");
}

/// Answers a row as the recording script writes answers down.
fn answer(message: &str, row: &str) -> String {
    let Some(table) = context(message) else {
        return "status 400".to_owned();
    };
    if let Some(acl) = row.strip_prefix("? ") {
        return match judge(acl, &table) {
            Ok(Verdict::Pass) => "yes".to_owned(),
            Ok(Verdict::Fail | Verdict::Wait) => "no".to_owned(),
            Err(_) => "!".to_owned(),
        };
    }
    match evaluate(row, &table) {
        Ok(bytes) => python_repr(&bytes),
        Err(_) => "!".to_owned(),
    }
}

/// The exchange that a line of the table describes.
fn context(line: &str) -> Option<Table> {
    let (mark, text) = line.split_at(2);
    let bytes = unescaped(text);
    let mut table = Table::default();
    let client = "192.0.2.1:40000".parse().expect("an address");
    table.endpoints.insert(End::Src, client);
    for fact in [
        Number::FirstRequest,
        Number::ClientHttpMajor,
        Number::ServerHttpMajor,
    ] {
        table.numbers.insert(fact, 1);
    }
    let request = if mark == "> " {
        bytes.clone()
    } else {
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n".to_vec()
    };
    let mut request = Message::read(&request, RequestHead::read).ok()?;
    if line.to_ascii_lowercase().contains("chunked") {
        request.body = b"a=1&b=22".to_vec();
    }
    table.request_head = Some(request);
    let view = table.head(Side::Request)?;
    let kept = [
        (Text::RequestMethod, view.part(StartLine::Method).to_vec()),
        (Text::RequestTarget, view.part(StartLine::Target).to_vec()),
        (Text::RequestVersion, view.version().to_vec()),
    ];
    table.texts.extend(kept);
    if mark == "< " {
        table.response_head = Message::read(&bytes, ResponseHead::read).ok();
        let version = table.head(Side::Response)?.version().to_vec();
        table.texts.insert(Text::ResponseVersion, version);
        table.side = Some(Side::Response);
        table.request_head = None;
    }
    Some(table)
}

/// What `%[...]` writes into a body: nothing where there is no value.
fn evaluate(text: &str, table: &Table) -> Result<Vec<u8>, String> {
    let mut names = Names::default();
    let compiled = compile(text, &mut names)?;
    let value = match compiled.value(table) {
        Some(Sample::Bin(bytes)) => bytes.into_owned(),
        Some(sample) => match cast(sample, Kind::Str) {
            Some(Sample::Str(text)) => text.into_owned(),
            _ => Vec::new(),
        },
        None => Vec::new(),
    };
    let mut out = Vec::new();
    for byte in value {
        match byte {
            b'\t' | 32..=126 | 128.. => out.push(byte),
            other => out.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    Ok(out)
}

fn judge(text: &str, table: &Table) -> Result<Verdict, String> {
    let mut names = Names::default();
    let acl = Acl {
        name: text.to_owned(),
        tests: vec![read(text)?],
    };
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &support::userlists(),
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    let program = Program::compile(&[acl], &mut env).map_err(|errors| format!("{errors:?}"))?;
    Ok(program.acl(0, table))
}

/// Reads `criterion [-i] [-m method] [operator] patterns`, a criterion being an ACL keyword or an
/// expression.
fn read(text: &str) -> Result<AclTest, String> {
    // Quotes make a space part of a word.
    let mut quoted = false;
    let split = |c| {
        quoted ^= c == '"';
        c == ' ' && !quoted
    };
    let mut words = text
        .split(split)
        .map(|word| word.trim_matches('"'))
        .peekable();
    let criterion = words.next().unwrap_or_default();
    let name = criterion.split(['(', ',']).next().unwrap_or_default();
    let keyword = vocabulary().acls.into_iter().find(|acl| acl.name == name);
    let fetch = keyword.as_ref().map_or(name, |acl| acl.fetch);
    let expression = parse(&format!("{fetch}{}", &criterion[name.len()..]))?;
    let mut method = match keyword.filter(|_| expression.converters.is_empty()) {
        Some(keyword) => keyword.method,
        None => default_method(&expression, text)?,
    };
    let mut ignore_case = false;
    while let Some(word) = words.next_if(|word| word.starts_with('-')) {
        match word {
            "-i" => ignore_case = true,
            "-m" => {
                let name = words.next().unwrap_or_default();
                method = serde_json::from_str(&format!("\"{name}\"")).map_err(|e| e.to_string())?;
            }
            _ => break,
        }
    }
    let mut patterns: Vec<String> = words.map(str::to_owned).collect();
    if let [operator, number] = patterns.as_slice() {
        let value: i64 = number.parse().unwrap_or(0);
        match operator.as_str() {
            "gt" => patterns = vec![format!("{}:", value + 1)],
            "lt" => patterns = vec![format!(":{}", value - 1)],
            _ => {}
        }
    }
    Ok(AclTest {
        method,
        expression,
        ignore_case,
        patterns: patterns
            .into_iter()
            .map(|text| ByteString(text.into_bytes()))
            .collect(),
        id: 0,
        description: String::new(),
        files: Vec::new(),
    })
}

fn default_method(
    expression: &isthmus_plan::Expression,
    text: &str,
) -> Result<MatchMethod, String> {
    let mut names = Names::default();
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &support::userlists(),
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    let output = isthmus_sample::Compiled::compile(expression, &mut env)?.output();
    Ok(match output {
        Kind::Bool => MatchMethod::Bool,
        Kind::Int => MatchMethod::Int,
        Kind::Addr | Kind::Ipv4 | Kind::Ipv6 => MatchMethod::Ip,
        Kind::Str => MatchMethod::Str,
        _ if text.contains(" -m ") => MatchMethod::Found,
        other => return Err(format!("{other:?} needs -m")),
    })
}

/// Turns C's escapes into bytes.
fn unescaped(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        let escaped = if c == '\\' { characters.next() } else { None };
        let byte = match escaped {
            None => c,
            Some('r') => '\r',
            Some('n') => '\n',
            Some('t') => '\t',
            Some(other) => other,
        };
        out.push(u8::try_from(byte).expect("Latin-1"));
    }
    out
}

/// Writes bytes as Python does.
fn python_repr(bytes: &[u8]) -> String {
    let quote = if bytes.contains(&b'\'') && !bytes.contains(&b'"') {
        '"'
    } else {
        '\''
    };
    let mut out = format!("b{quote}");
    for byte in bytes {
        match byte {
            b'\\' => out.push_str("\\\\"),
            b'\t' => out.push_str("\\t"),
            b'\'' if quote == '\'' => out.push_str("\\'"),
            32..=126 => out.push(char::from(*byte)),
            other => out.push_str(&format!("\\x{other:02x}")),
        }
    }
    out.push(quote);
    out
}
