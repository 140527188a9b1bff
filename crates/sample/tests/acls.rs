//! Every ACL in `data/acls.tsv` says what a real HAProxy was seen to say.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on ends"
)]

mod support;

use isthmus_plan::{Acl, AclTest, ByteString, MatchMethod};
use isthmus_sample::{CompileEnv, End, Names, Program, Sample, Verdict};
use support::{Table, parse};

/// Where Isthmus differs from HAProxy 2.6 on purpose, or where the answer is the parser's, and why.
const DIFFERENT: &[(&str, &str)] = &[
    ("int(-5) -5", "negative patterns are numbers too"),
    ("int(-5) -9:-1", "negative patterns are numbers too"),
    ("int(5) -1:9", "negative patterns are numbers too"),
    (
        "int(65537) 1.1",
        "every integer may be compared with a version",
    ),
    (
        "int(65536) 1.0",
        "every integer may be compared with a version",
    ),
    (
        "int(65536) 1.0:1.5",
        "every integer may be compared with a version",
    ),
    (
        "int(196609) 3:3.1",
        "every integer may be compared with a version",
    ),
    (
        "int(3) 3:3.1",
        "every integer may be compared with a version",
    ),
    (
        "int(5) 0:0.5",
        "every integer may be compared with a version",
    ),
    (
        "ipv4(10.1.2.3) localhost",
        "names are resolved before patterns are compiled",
    ),
    (
        "ipv4(127.0.0.1) localhost",
        "names are resolved before patterns are compiled",
    ),
    ("meth(GET) GET", "methods are compared as text"),
    ("meth(GET) POST GET", "methods are compared as text"),
    ("var(txn.word) word", "the parser asks for -m"),
];

#[test]
fn every_recorded_acl_says_what_haproxy_said() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    for line in include_str!("data/acls.tsv").lines() {
        let (acl, expected) = line.split_once('\t').expect("two columns");
        // An empty pattern is the parser's business.
        if DIFFERENT.iter().any(|(text, _)| *text == acl) || acl.ends_with("\"\"") {
            continue;
        }
        compared += 1;
        let actual = match evaluate(acl) {
            Ok(Verdict::Pass) => "yes",
            Ok(Verdict::Fail | Verdict::Wait) => "no",
            Err(_) => "!",
        };
        if actual != expected {
            wrong.push(format!("{acl}: HAProxy {expected}, Isthmus {actual}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {compared} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(compared > 150, "only {compared} were compared");
}

fn evaluate(text: &str) -> Result<Verdict, String> {
    let mut names = Names::default();
    let mut table = Table::default();
    table
        .endpoints
        .insert(End::Src, "127.0.0.1:40000".parse().expect("an address"));
    let mut set = |name: &str, value| {
        table.set(names.variable(name.as_bytes()).expect("a variable"), value);
    };
    set("txn.word", Sample::text(b"word"));
    set("txn.number", Sample::Int(7));
    let acl = Acl {
        name: text.to_owned(),
        tests: vec![read(text)?],
    };
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| None,
        lists: &[],
        userlists: &[],
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    let program = Program::compile(&[acl], &mut env).map_err(|errors| format!("{errors:?}"))?;
    Ok(program.acl(0, &table))
}

/// Reads `expression [-i] [-m method] [--] patterns`.
fn read(text: &str) -> Result<AclTest, String> {
    let mut words = text.split(' ').peekable();
    let expression = parse(words.next().unwrap_or_default())?;
    let mut test = AclTest {
        method: default_method(words.clone().any(|word| word == "-m"), &expression),
        expression,
        ignore_case: false,
        patterns: Vec::new(),
        id: 0,
        description: String::new(),
        files: Vec::new(),
    };
    while let Some(word) = words.peek().filter(|word| word.starts_with('-')) {
        match *word {
            "-i" => test.ignore_case = true,
            "-m" => {
                words.next();
                let name = words.peek().copied().unwrap_or_default();
                test.method = serde_json::from_str(&format!("\"{name}\"")).expect("a method");
            }
            "--" => {
                words.next();
                break;
            }
            flag => return Err(format!("unknown flag {flag}")),
        }
        words.next();
    }
    test.patterns = words.map(ByteString::from).collect();
    Ok(test)
}

/// The method that a type has without `-m` (manual, section 7.1).
fn default_method(explicit: bool, expression: &isthmus_plan::Expression) -> MatchMethod {
    let name = expression
        .converters
        .last()
        .map_or(&expression.fetch.name, |call| &call.name);
    match name.as_str() {
        "bool" => MatchMethod::Bool,
        "int" | "length" => MatchMethod::Int,
        "ipv4" | "ipv6" | "src" | "ipmask" => MatchMethod::Ip,
        _ if explicit => MatchMethod::Found,
        _ => MatchMethod::Str,
    }
}
