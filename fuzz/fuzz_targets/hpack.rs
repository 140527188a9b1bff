//! Any blocks decode or are refused without a panic; the same in one decoder as in another, and
//! what was decoded survives being encoded again.

#![no_main]

use isthmus_proto::http1::Span;
use isthmus_proto::http2::hpack::{Decoder, Encoder, Indexing, Sink};
use libfuzzer_sys::fuzz_target;

#[derive(Default)]
struct List {
    text: Vec<u8>,
    fields: Vec<(Span, Span)>,
}

impl List {
    fn pairs(&self) -> Vec<(&[u8], &[u8])> {
        let pair = |(name, value): &(Span, Span)| (name.of(&self.text), value.of(&self.text));
        self.fields.iter().map(pair).collect()
    }
}

impl Sink for List {
    fn text(&mut self) -> &mut Vec<u8> {
        &mut self.text
    }

    fn wants(&mut self, _: usize) -> bool {
        self.text.len() < 1 << 20
    }

    fn field(&mut self, name: Span, value: Span, _: bool) {
        self.fields.push((name, value));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else {
        return;
    };
    let limit = u32::from(*first) * 32;
    let (mut decoder, mut again) = (Decoder::new(limit), Decoder::new(4096));
    let mut encoder = Encoder::new(limit);
    // Each block's length stands before it.
    while let Some((length, behind)) = rest.split_first() {
        let (block, behind) = behind.split_at(behind.len().min(usize::from(*length)));
        rest = behind;
        let mut list = List::default();
        if decoder.decode(block, &mut list).is_err() {
            return;
        }
        let mut out = Vec::new();
        encoder.begin(&mut out);
        for (index, (name, value)) in list.pairs().into_iter().enumerate() {
            let how = match (index + usize::from(*first)) % 4 {
                0 => Indexing::Never,
                1 => Indexing::Without,
                _ => Indexing::Add,
            };
            encoder.field(name, value, how, &mut out);
        }
        let mut copy = List::default();
        assert_eq!(again.decode(&out, &mut copy), Ok(()));
        assert_eq!(copy.pairs(), list.pairs());
    }
});
