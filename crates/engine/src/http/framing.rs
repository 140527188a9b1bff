//! Messages go out framed as their bodies are, whatever rules made of the fields that say so, of
//! the method and of the status.

use isthmus_proto::http::{Body, FieldName, Method};
use isthmus_proto::http1::{Exchange, Progress, ResponseHead, Rules, StartLine};

use super::body::{Reading, Writing};
use super::stream::{Answerer, Stream};

impl Stream {
    /// What the server's response is read by: the method that the server was asked with.
    pub(super) fn exchange(&self) -> Exchange {
        Exchange {
            method: self.server_method.unwrap_or(self.method),
            upgrade: self.upgrade,
        }
    }

    /// Undoes what rules did to the request's framing fields. True if they want the server
    /// connection closed behind it.
    pub(super) fn settle_request(&mut self) -> bool {
        let request = &mut self.request;
        // Other methods do not change what a response looks like, or only where it opens a tunnel,
        // which is what the client asked for, or is not.
        let asks_head = match request.rewrite.part(StartLine::Method) {
            Some(method) => method == b"HEAD",
            None => self.method == Method::Head,
        };
        self.server_method = match (asks_head, self.method == Method::Head) {
            (true, false) => Some(Method::Head),
            (false, true) => Some(Method::Get),
            _ => None,
        };
        request.rewrite.undo_framing(request.head.fields())
    }

    /// Undoes what rules did to the response's framing fields, and makes the body what method
    /// and status let it be for the client.
    pub(super) fn settle_response(&mut self, body: Body) -> Body {
        let response = &mut self.response;
        let received = response.head.status();
        self.close |= response.rewrite.undo_framing(response.head.fields());
        let status = self.status_to_send();
        if self.server_method.is_none() && status == received || body == Body::Tunnel {
            return body;
        }
        let has_body = match self.answerer {
            Answerer::Server => body != Body::None && body != Body::Length(0),
            _ => !self.response.reading.is_done(),
        };
        if is_bodyless(status) || self.method == Method::Head {
            if has_body {
                self.drop_body();
            }
            if is_bodyless(status) {
                let response = &mut self.response;
                response.rewrite.remove_framing(response.head.fields());
            }
            return Body::None;
        }
        if !has_body {
            let response = &mut self.response;
            response.rewrite.remove_framing(response.head.fields());
            response.rewrite.add(b"content-length", b"0");
        }
        body
    }

    /// The client is to get no body; what is still to come of it would spoil the connection.
    fn drop_body(&mut self) {
        self.coded = None;
        self.filter = None;
        self.source = None;
        self.service = None;
        let response = &mut self.response;
        let taken = response.taken;
        let rest = response.buffer.bytes_mut().get_mut(taken..);
        let rest = rest.unwrap_or_default();
        let given = rest.len();
        let took = response.reading.take(rest, Writing::Plain, &mut Vec::new());
        let whole = response.reading.is_done() && took.is_ok_and(|took| took.used == given);
        self.spent |= !whole;
        response.reading = Reading::Done;
        response.taken = response.buffer.len();
    }
}

/// A message of the configuration's (`errorfile`) that says where its body ends: of one that does
/// not, a client would wait for more.
pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    let mut whole = message.to_vec();
    let mut head = ResponseHead::default();
    let rules = Rules {
        head: u32::MAX,
        ..Rules::default()
    };
    let Ok(Progress::Complete(length)) = head.read(&mut whole, &rules) else {
        return message.to_vec();
    };
    let says = |name| head.fields().known(name).is_some();
    let framed = says(FieldName::ContentLength) || says(FieldName::TransferEncoding);
    if !framed && !is_bodyless(head.status()) {
        let line = format!("content-length: {}\r\n", message.len() - length);
        let end = length.saturating_sub(2);
        whole.splice(end..end, line.into_bytes());
    }
    whole
}

/// Whether responses of a status never have a body (RFC 9110, 6.4.1).
fn is_bodyless(status: u16) -> bool {
    matches!(status, 100..=199 | 204 | 304)
}
