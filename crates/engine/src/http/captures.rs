//! What `capture` lines keep of a head for the log (manual, `capture request header` and the like).

use isthmus_plan::http::CookieCapture;
use isthmus_proto::http::FieldList;
use isthmus_proto::http1::Fields;
use isthmus_sample::Side;

use crate::session::Session;

impl Session {
    /// Keeps what is captured of the request, as it came.
    pub(super) fn capture_request(&mut self) {
        let frontend = self.frontend.clone();
        let Some(plan) = frontend.shared.plan.http.as_deref() else {
            return;
        };
        self.capture_fields(Side::Request, &plan.request_captures);
        if let Some(cookie) = &plan.capture_cookie {
            self.capture_cookie(Side::Request, cookie, b"cookie");
        }
    }

    /// Keeps what is captured of the server's response, as it came.
    pub(super) fn capture_response(&mut self) {
        let frontend = self.frontend.clone();
        let Some(plan) = frontend.shared.plan.http.as_deref() else {
            return;
        };
        self.capture_fields(Side::Response, &plan.response_captures);
        if let Some(cookie) = &plan.capture_cookie {
            self.capture_cookie(Side::Response, cookie, b"set-cookie");
        }
    }

    /// The last field of a name counts.
    fn capture_fields(&self, side: Side, wanted: &[(String, usize)]) {
        if wanted.is_empty() {
            return;
        }
        let Some((fields, bytes)) = self.fields_of(side) else {
            return;
        };
        for (name, slot) in wanted {
            let mut of_name = fields.as_slice().iter().rev();
            let found = of_name.find(|f| f.name.of(bytes).eq_ignore_ascii_case(name.as_bytes()));
            if let Some(field) = found {
                self.keep(side, *slot, field.value.of(bytes));
            }
        }
    }

    fn fields_of(&self, side: Side) -> Option<(&Fields, &[u8])> {
        let stream = self.http.as_deref()?;
        Some(match side {
            Side::Request => (stream.request.head.fields(), stream.request.buffer.bytes()),
            Side::Response => (
                stream.response.head.fields(),
                stream.response.buffer.bytes(),
            ),
        })
    }

    fn capture_cookie(&mut self, side: Side, wanted: &CookieCapture, field: &[u8]) {
        let found = self.fields_of(side).and_then(|(fields, bytes)| {
            let mut found = None;
            fields.of(bytes).for_each(&mut |name, value| {
                if name == field && found.is_none() {
                    found = cookie(value, wanted, side).map(<[u8]>::to_vec);
                }
                true
            });
            found
        });
        let place = usize::from(side == Side::Response);
        if let Some(kept) = self.stream().cookies.get_mut(place) {
            *kept = found;
        }
    }
}

/// The cookie that is captured, with its name, cut to the length that is asked for. Behind the
/// first semicolon of a Set-Cookie stand attributes.
fn cookie<'v>(value: &'v [u8], wanted: &CookieCapture, side: Side) -> Option<&'v [u8]> {
    let most = match side {
        Side::Request => usize::MAX,
        Side::Response => 1,
    };
    let pairs = value.split(|byte| *byte == b';').take(most);
    let found = pairs.map(<[u8]>::trim_ascii).find(|pair| {
        let end = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        let name = pair.get(..end).unwrap_or_default();
        match wanted.prefix {
            true => name.starts_with(wanted.name.as_bytes()),
            false => name == wanted.name.as_bytes(),
        }
    })?;
    Some(found.get(..wanted.len).unwrap_or(found))
}
