//! Prints what HTTP/1 costs per head: read alone, and read, stripped of hop-by-hop fields, given
//! a field more and written out. `cargo run --release -p isthmus-proto --example http1_cost`

use std::hint::black_box;
use std::time::Instant;

use isthmus_proto::http1::{Forward, Progress, RequestHead, Rewrite, Rules, View};

const ROUNDS: u32 = 2_000;
/// The best of many short runs: what else the machine does only adds.
const RUNS: u32 = 1_000;

const SMALL: &str = "GET /index.html HTTP/1.1\r\nHost: www.example.com\r\n\
    User-Agent: curl/8.5.0\r\nAccept: */*\r\n\r\n";

const BROWSER: &str = "GET /assets/app.js?v=20260412 HTTP/1.1\r\nHost: www.example.com\r\n\
    Connection: keep-alive\r\nCache-Control: max-age=0\r\n\
    Sec-Ch-Ua: \"Chromium\";v=\"124\", \"Not-A.Brand\";v=\"99\"\r\nSec-Ch-Ua-Mobile: ?0\r\n\
    Sec-Ch-Ua-Platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n\
    User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko)\r\n\
    Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n\
    Sec-Fetch-Site: same-origin\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n\
    Sec-Fetch-Dest: document\r\nReferer: https://www.example.com/start\r\n\
    Accept-Encoding: gzip, deflate, br\r\nAccept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
    Cookie: session=3f2a9c0d8b7e6f5a4c3b2a1908070605; theme=dark; consent=yes\r\n\
    If-None-Match: \"5f3a-61b2c3d4e5f60\"\r\nDnt: 1\r\nPriority: u=0, i\r\n\r\n";

/// The least nanoseconds that one of `ROUNDS` calls took on average.
fn nanoseconds(mut call: impl FnMut()) -> f64 {
    (0..RUNS)
        .map(|_| {
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| call());
            start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS)
        })
        .fold(f64::INFINITY, f64::min)
}

fn measure(name: &str, text: &str) {
    let rules = Rules::default();
    let mut buf = text.as_bytes().to_vec();
    let mut head = RequestHead::default();
    let read = nanoseconds(|| {
        head.clear();
        let progress = head.read(black_box(&mut buf), &rules);
        debug_assert!(matches!(progress, Ok(Progress::Complete(_))));
        let _ = black_box(progress);
    });
    let fields = head.fields().len();
    let mut rewrite = Rewrite::default();
    let mut out = Vec::new();
    let through = nanoseconds(|| {
        head.clear();
        let _ = black_box(head.read(black_box(&mut buf), &rules));
        rewrite.clear();
        head.forward(&buf, Forward::default(), &mut rewrite);
        rewrite.add(b"x-forwarded-for", b"192.0.2.1");
        out.clear();
        View::request(&head, &buf, &rewrite).write(None, &mut out);
        black_box(&out);
    });
    let len = buf.len();
    println!("{name}: {fields} fields, {len} bytes: read {read:.0} ns, through {through:.0} ns");
}

fn main() {
    measure("small", SMALL);
    measure("browser", BROWSER);
}
