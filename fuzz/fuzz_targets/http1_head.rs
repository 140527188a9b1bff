//! Any bytes, in any pieces, read as a request's and as a response's head without a panic and
//! with one verdict; what is read can be written, and reads as the same again.

#![no_main]

use isthmus_proto::http1::{
    Error, Exchange, Forward, Progress, RequestHead, ResponseHead, Rewrite, Rules, View,
};
use libfuzzer_sys::fuzz_target;

/// Reads `bytes` in pieces of `step`.
fn in_pieces(
    bytes: &mut [u8],
    step: usize,
    mut read: impl FnMut(&mut [u8]) -> Result<Progress, Error>,
) -> Result<Progress, Error> {
    let mut end = 0;
    while end < bytes.len() {
        end = bytes.len().min(end + step);
        let progress = read(&mut bytes[..end]);
        if progress != Ok(Progress::Incomplete) {
            return progress;
        }
    }
    Ok(Progress::Incomplete)
}

fn request(bytes: &[u8], step: usize, rules: &Rules) {
    let (mut whole, mut cut) = (bytes.to_vec(), bytes.to_vec());
    let (mut head, mut again) = (RequestHead::default(), RequestHead::default());
    let progress = in_pieces(&mut whole, bytes.len(), |buf| head.read(buf, rules));
    let in_steps = in_pieces(&mut cut, step, |buf| again.read(buf, rules));
    assert_eq!((&progress, &whole), (&in_steps, &cut));
    let Ok(Progress::Complete(len)) = progress else {
        return;
    };
    assert!(len <= whole.len());
    // Stripped of what is for one connection, as HTTP/1.0 may say what would mean more in the
    // HTTP/1.1 that is sent.
    let mut rewrite = Rewrite::default();
    let how = Forward {
        protected: &[],
        chunks: true,
    };
    head.forward(&whole, how, &mut rewrite);
    let mut out = Vec::new();
    View::request(&head, &whole, &rewrite).write(None, &mut out);
    // For the same reason it may lack its Host.
    let rules = Rules {
        head: u32::MAX,
        fields: u32::MAX,
        accept_unsafe: true,
        ..*rules
    };
    again.clear();
    assert_eq!(
        again.read(&mut out, &rules),
        Ok(Progress::Complete(out.len()))
    );
    assert_eq!((head.method(), head.body()), (again.method(), again.body()));
    assert_eq!(head.asks_upgrade(), again.asks_upgrade());
}

fn response(bytes: &[u8], step: usize, rules: &Rules) {
    let (mut whole, mut cut) = (bytes.to_vec(), bytes.to_vec());
    let (mut head, mut again) = (ResponseHead::default(), ResponseHead::default());
    let progress = in_pieces(&mut whole, bytes.len(), |buf| head.read(buf, rules));
    let in_steps = in_pieces(&mut cut, step, |buf| again.read(buf, rules));
    assert_eq!((&progress, &whole), (&in_steps, &cut));
    if let Ok(Progress::Complete(_)) = progress {
        let _ = head.body(Exchange::default());
        let mut rewrite = Rewrite::default();
        head.forward(
            &whole,
            Exchange::default(),
            Forward::default(),
            &mut rewrite,
        );
        let mut out = Vec::new();
        View::response(&head, &whole, &rewrite).write(None, &mut out);
    }
}

fuzz_target!(|data: &[u8]| {
    let Some((&choice, bytes)) = data.split_first() else {
        return;
    };
    if bytes.is_empty() {
        return;
    }
    let rules = Rules {
        accept_unsafe: choice & 1 != 0,
        accept_payload_with_any_method: choice & 2 != 0,
        ..Rules::default()
    };
    let step = usize::from(choice >> 2) + 1;
    request(bytes, step, &rules);
    response(bytes, step, &rules);
});
