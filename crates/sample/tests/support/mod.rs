//! What the tests share: a reader of expressions as configurations write them, and a context that
//! answers from tables.

#![allow(
    dead_code,
    clippy::indexing_slicing,
    reason = "each test uses a part; a test that cannot go on ends"
)]

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use isthmus_plan::{ByteString, Call, Expression, FormatItem, Password, User, Userlist};
use isthmus_proto::http1::{Progress, RequestHead, ResponseHead, Rewrite, Rules, View};
use isthmus_sample::{
    BackendNumber, Bytes, CompileEnv, Compiled, Content, Context, End, FrontendNumber, Names,
    Number, Payload, Sample, Scope, ServerNumber, Side, TcpInfo, Text, Users, VarRef, Variables,
    Verdict, find_converter, find_fetch,
};

/// Reads `fetch(args),converter(args)`: quotes and backslashes inside parentheses as HAProxy has
/// them (manual, section 2.2).
pub fn parse(text: &str) -> Result<Expression, String> {
    let mut rest = text;
    let fetch = find_fetch(name(rest)).ok_or("unknown fetch")?;
    let call = call(&mut rest, fetch.params().map(|p| p.kind).collect())?;
    let mut expression = Expression {
        fetch: call,
        converters: Vec::new(),
    };
    while let Some(after) = rest.strip_prefix(',') {
        rest = after;
        let converter = find_converter(name(rest)).ok_or("unknown converter")?;
        let params = converter.params().map(|p| p.kind).collect();
        expression.converters.push(self::call(&mut rest, params)?);
    }
    if rest.is_empty() {
        Ok(expression)
    } else {
        Err(format!("left over: {rest}"))
    }
}

fn name(text: &str) -> &str {
    text.split(['(', ',']).next().unwrap_or(text)
}

fn call(rest: &mut &str, kinds: Vec<&'static str>) -> Result<Call, String> {
    let name = name(rest).to_owned();
    *rest = &rest[name.len()..];
    let mut args = Vec::new();
    if rest.starts_with('(') {
        for (at, word) in words(rest)?.into_iter().enumerate() {
            args.push(arg(kinds.get(at).copied().unwrap_or("string"), word)?);
        }
    }
    Ok(Call { name, args })
}

/// Splits the parenthesised list at the beginning of `rest`, and takes it off.
fn words(rest: &mut &str) -> Result<Vec<String>, String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, c)) = characters.next() {
        let last = words.len() - 1;
        match (c, quote) {
            (c, Some(q)) if c == q => quote = None,
            ('\\', Some('"') | None) => words[last].extend(characters.next().map(|(_, c)| c)),
            (c, Some(_)) => words[last].push(c),
            ('"' | '\'', None) => quote = Some(c),
            (',', None) => words.push(String::new()),
            (')', None) => {
                *rest = &rest[at + 1..];
                return Ok(words);
            }
            (c, None) => words[last].push(c),
        }
    }
    Err("no closing parenthesis".into())
}

fn arg(kind: &str, word: String) -> Result<isthmus_plan::Arg, String> {
    use isthmus_plan::Arg;
    Ok(match kind {
        "integer" if word.is_empty() => Arg::Absent {},
        "integer" => {
            let digits = word.trim_start_matches('-');
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("not an integer: {word}"));
            }
            let limit = if word.starts_with('-') {
                i64::MIN
            } else {
                i64::MAX
            };
            Arg::Int {
                value: word.parse().unwrap_or(limit),
            }
        }
        "user list" => Arg::Userlist { userlist: 0 },
        "IPv4 address" | "IPv6 address" => Arg::Ip {
            value: word.parse().map_err(|_| "not an address")?,
        },
        _ => Arg::Str {
            value: ByteString(word.into_bytes()),
        },
    })
}

/// Compiles an expression with names of its own.
pub fn compile(text: &str, names: &mut Names) -> Result<Compiled, String> {
    let environment = |name: &[u8]| (name == b"ISTHMUS_TEST").then(|| b"value".to_vec());
    let mut env = CompileEnv {
        names,
        env: &environment,
        acl: &|_| None,
        lists: &[],
        userlists: &userlists(),
        tables: &[],
        jose: &std::sync::Arc::default(),
    };
    Compiled::compile(&parse(text)?, &mut env)
}

/// The userlists, compiled: `staff` is the first.
pub fn userlists() -> [Arc<Users>; 1] {
    [Arc::new(Users::compile(&staff()).expect("a userlist"))]
}

/// The userlist that the recording script has.
pub fn staff() -> Userlist {
    let text = |text: &str| ByteString(text.as_bytes().to_vec());
    let hash = "$5$salt$HcpxOfa925mFNRuYAscuC4oWpw6c8l.YtrFMtUG7fp9";
    let user = |name, password, groups: &[&str]| User {
        name: text(name),
        password,
        groups: groups.iter().map(|group| text(group)).collect(),
    };
    Userlist {
        name: "staff".to_owned(),
        users: vec![
            user(
                "ann",
                Some(Password::Plain {
                    text: text("secret"),
                }),
                &["all", "admins"],
            ),
            user("bob", Some(Password::Hashed { hash: text(hash) }), &[]),
            user("carl", None, &["all"]),
        ],
    }
}

/// Reads a format: `%{flags}alias`, `%{flags}[expression]`, `%%`. `M` holds unless taken away, as
/// `log-format` has it.
pub fn items(text: &str) -> Vec<FormatItem> {
    let mut items = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (literal, after) = rest.split_at(at);
        items.push(FormatItem::Literal {
            text: ByteString::from(literal),
        });
        rest = after.get(1..).unwrap_or_default();
        if let Some(after) = rest.strip_prefix('%') {
            items.push(FormatItem::Literal {
                text: ByteString::from("%"),
            });
            rest = after;
            continue;
        }
        let mut flags = "M".to_owned();
        if let Some(after) = rest.strip_prefix('{') {
            let (inside, after) = after.split_once('}').expect("a closing brace");
            flags = format!("+M,{inside}");
            rest = after;
        }
        if let Some(after) = rest.strip_prefix('[') {
            let (inside, after) = after.split_once(']').expect("a closing bracket");
            let expression = parse(inside).expect("an expression");
            items.push(FormatItem::Expression { expression, flags });
            rest = after;
        } else {
            let end = rest
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            items.push(FormatItem::Alias {
                name: name.to_owned(),
                flags,
            });
            rest = after;
        }
    }
    items.push(FormatItem::Literal {
        text: ByteString::from(rest),
    });
    items
}

/// A message that has been read.
pub struct Message<H> {
    head: H,
    bytes: Vec<u8>,
    pub rewrite: Rewrite,
    pub body: Vec<u8>,
    pub growing: bool,
}

impl<H: Default> Message<H> {
    /// Reads a message; what is behind its head is the body, without framing.
    pub fn read(
        text: &[u8],
        read: impl Fn(&mut H, &mut [u8], &Rules) -> Result<Progress, isthmus_proto::http1::Error>,
    ) -> Result<Self, String> {
        let (mut head, mut bytes) = (H::default(), text.to_vec());
        match read(&mut head, &mut bytes, &Rules::default()) {
            Ok(Progress::Complete(length)) => Ok(Self {
                head,
                body: bytes.split_off(length),
                bytes,
                rewrite: Rewrite::default(),
                growing: false,
            }),
            other => Err(format!("{other:?}")),
        }
    }
}

/// A context that answers from tables.
#[derive(Default)]
pub struct Table {
    pub endpoints: HashMap<End, SocketAddr>,
    pub numbers: HashMap<Number, i64>,
    pub texts: HashMap<Text, Vec<u8>>,
    pub frontends: HashMap<(Option<usize>, FrontendNumber), i64>,
    pub backends: HashMap<(Option<usize>, BackendNumber), i64>,
    pub servers: HashMap<(Option<(usize, usize)>, ServerNumber), i64>,
    pub request: Option<(Vec<u8>, bool)>,
    pub response: Option<(Vec<u8>, bool)>,
    pub captures: HashMap<(Side, usize), Vec<u8>>,
    pub request_head: Option<Message<RequestHead>>,
    pub response_head: Option<Message<ResponseHead>>,
    pub side: Option<Side>,
    pub awaits: bool,
    pub inspecting: bool,
    pub tlvs: HashMap<u8, Vec<u8>>,
    pub tcp: HashMap<(Side, TcpInfo), i64>,
    pub variables: RefCell<HashMap<Scope, Variables>>,
    pub names: Names,
    pub acls: Vec<Verdict>,
    pub now: Option<i64>,
    pub utc_offset: i32,
    pub random: Cell<u64>,
    pub asked: Cell<usize>,
}

impl Table {
    pub fn set(&self, variable: VarRef, value: Sample<'static>) {
        self.set_variable(variable, Some(value));
    }
}

impl Context for Table {
    fn endpoint(&self, end: End) -> Option<SocketAddr> {
        self.asked.set(self.asked.get() + 1);
        self.endpoints.get(&end).copied()
    }
    fn number(&self, fact: Number) -> Option<i64> {
        self.numbers.get(&fact).copied()
    }
    fn text(&self, fact: Text) -> Option<Bytes<'_>> {
        self.texts.get(&fact).map(|text| text.as_slice().into())
    }
    fn frontend_number(&self, frontend: Option<usize>, fact: FrontendNumber) -> Option<i64> {
        self.frontends.get(&(frontend, fact)).copied()
    }
    fn backend_number(&self, backend: Option<usize>, fact: BackendNumber) -> Option<i64> {
        self.backends.get(&(backend, fact)).copied()
    }
    fn server_number(&self, server: Option<(usize, usize)>, fact: ServerNumber) -> Option<i64> {
        self.servers.get(&(server, fact)).copied()
    }
    fn payload(&self, side: Side) -> Option<Payload<'_>> {
        let received = match side {
            Side::Request => self.request.as_ref(),
            Side::Response => self.response.as_ref(),
        };
        let (bytes, growing) = received?;
        Some(Payload {
            bytes,
            growing: *growing,
        })
    }
    fn head(&self, side: Side) -> Option<View<'_>> {
        match side {
            Side::Request => {
                let message = self.request_head.as_ref()?;
                Some(View::request(
                    &message.head,
                    &message.bytes,
                    &message.rewrite,
                ))
            }
            Side::Response => {
                let message = self.response_head.as_ref()?;
                Some(View::response(
                    &message.head,
                    &message.bytes,
                    &message.rewrite,
                ))
            }
        }
    }
    fn content(&self, side: Side) -> Option<Content<'_>> {
        let (body, growing) = match side {
            Side::Request => self.request_head.as_ref().map(|m| (&m.body, m.growing))?,
            Side::Response => self.response_head.as_ref().map(|m| (&m.body, m.growing))?,
        };
        Some(Content {
            bytes: body.as_slice().into(),
            length: (!growing).then_some(body.len() as u64),
            growing,
        })
    }
    fn capture(&self, side: Side, slot: usize) -> Option<Bytes<'_>> {
        let value = self.captures.get(&(side, slot));
        value.map(|value| value.as_slice().into())
    }
    fn awaits_head(&self, _side: Side) -> bool {
        self.awaits
    }
    fn side(&self) -> Side {
        self.side.unwrap_or(Side::Request)
    }
    fn is_final(&self) -> bool {
        !self.inspecting
    }
    fn pp_tlv(&self, kind: u8) -> Option<Bytes<'_>> {
        self.tlvs.get(&kind).map(|value| value.as_slice().into())
    }
    fn tcp_info(&self, side: Side, fact: TcpInfo) -> Option<i64> {
        self.tcp.get(&(side, fact)).copied()
    }
    fn variable(&self, variable: VarRef) -> Option<Sample<'_>> {
        self.variables
            .borrow()
            .get(&variable.scope)?
            .get(variable.id)
            .cloned()
    }
    fn set_variable(&self, variable: VarRef, value: Option<Sample<'static>>) -> bool {
        self.variables
            .borrow_mut()
            .entry(variable.scope)
            .or_default()
            .set(variable.id, value);
        true
    }
    fn each_variable(&self, scope: Scope, visit: &mut dyn FnMut(&[u8], &Sample<'_>)) {
        if let Some(variables) = self.variables.borrow().get(&scope) {
            for (id, value) in variables.iter() {
                visit(self.names.name(id).unwrap_or(b"nameless"), value);
            }
        }
    }
    fn acl(&self, index: usize) -> Verdict {
        self.acls.get(index).copied().unwrap_or(Verdict::Fail)
    }
    fn now_wall_us(&self) -> Option<i64> {
        self.now
    }
    fn utc_offset(&self, _at: i64) -> i32 {
        self.utc_offset
    }
    fn random(&self) -> Option<u64> {
        self.random.set(
            self.random
                .get()
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        );
        Some(self.random.get())
    }
}
