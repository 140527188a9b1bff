//! Expressions made of arbitrary calls and arguments, over arbitrary payload, compile or are
//! refused, and evaluate, match and print without a panic.

#![no_main]

use isthmus_plan::{Acl, AclTest, Arg, ByteString, Call, Expression, FormatItem, MatchMethod};
use isthmus_sample::{
    Bytes, CompileEnv, Context, Format, Names, Payload, Program, Sample, Side, VarRef, converters,
    fetches,
};
use libfuzzer_sys::fuzz_target;

/// Takes choices from the fuzzer's bytes; zeros when they are used up.
struct Choices<'d>(&'d [u8]);

impl<'d> Choices<'d> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    fn word(&mut self) -> &'d [u8] {
        let length = usize::from(self.byte() % 24).min(self.0.len());
        let (word, rest) = self.0.split_at(length);
        self.0 = rest;
        word
    }

    fn arg(&mut self) -> Arg {
        match self.byte() % 6 {
            0 => Arg::Int {
                value: i64::from(self.byte()) - 3,
            },
            1 => {
                let mut bytes = [0; 8];
                for (place, byte) in bytes.iter_mut().zip(self.word()) {
                    *place = *byte;
                }
                Arg::Int {
                    value: i64::from_le_bytes(bytes),
                }
            }
            2 => Arg::Absent {},
            3 => Arg::Mask { bits: self.byte() },
            4 => Arg::Var {
                name: "txn.x".to_owned(),
            },
            _ => Arg::Str {
                value: ByteString(self.word().to_vec()),
            },
        }
    }

    fn call(&mut self, names: &[&'static str]) -> Call {
        let place = usize::from(self.byte()) % names.len();
        let count = self.byte() % 4;
        Call {
            name: names[place].to_owned(),
            args: (0..count).map(|_| self.arg()).collect(),
        }
    }

    fn expression(&mut self) -> Expression {
        let fetch = self.call(&fetches().map(|fetch| fetch.name).collect::<Vec<_>>());
        let names: Vec<_> = converters().map(|converter| converter.name).collect();
        let count = self.byte() % 4;
        Expression {
            fetch,
            converters: (0..count).map(|_| self.call(&names)).collect(),
        }
    }

    fn method(&mut self) -> MatchMethod {
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
        METHODS[usize::from(self.byte()) % METHODS.len()]
    }
}

/// A session that has received some bytes.
struct Session<'d> {
    payload: &'d [u8],
    growing: bool,
}

impl Context for Session<'_> {
    fn payload(&self, _side: Side) -> Option<Payload<'_>> {
        Some(Payload {
            bytes: self.payload,
            growing: self.growing,
        })
    }

    fn is_final(&self) -> bool {
        !self.growing
    }

    fn variable(&self, _variable: VarRef) -> Option<Sample<'_>> {
        Some(Sample::Str(Bytes::Borrowed(self.payload)))
    }

    fn now_wall_us(&self) -> Option<i64> {
        Some(1_700_000_000_000_000)
    }

    fn random(&self) -> Option<u64> {
        Some(0x0123_4567_89ab_cdef)
    }
}

fuzz_target!(|data: &[u8]| {
    let mut choices = Choices(data);
    let expression = choices.expression();
    let acl = Acl {
        name: String::new(),
        tests: vec![AclTest {
            expression: expression.clone(),
            method: choices.method(),
            ignore_case: choices.byte() & 1 == 1,
            patterns: vec![
                ByteString(choices.word().to_vec()),
                ByteString(choices.word().to_vec()),
            ],
            id: 0,
            description: String::new(),
            files: Vec::new(),
        }],
    };
    let session = Session {
        growing: choices.byte() & 1 == 1,
        payload: choices.0,
    };
    let mut names = Names::default();
    let mut env = CompileEnv {
        names: &mut names,
        env: &|_| None,
        acl: &|_| Some(0),
        lists: &[],
        userlists: &[],
        tables: &[],
        jose: &Default::default(),
    };
    if let Ok(program) = Program::compile(&[acl], &mut env) {
        program.acl(0, &session);
    }
    let item = FormatItem::Expression {
        expression,
        flags: "+E,+Q".to_owned(),
    };
    if let Ok(format) = Format::compile(&[item], &mut env) {
        let mut line = Vec::new();
        format.render(&session, &mut line);
        assert!(line.iter().all(|byte| *byte >= 32));
    }
});
