//! `redir` of a server: GET and HEAD are told to go to it themselves.

use isthmus_proto::http::{Method, Target};
use isthmus_proto::http1::StartLine;

use super::message;
use crate::local::LocalServer;
use crate::session::Session;
use crate::worker::{Step, Worker};

impl Worker {
    /// Answers with a redirection to the chosen server's prefix; `None` if the request is one
    /// that the server itself has to serve.
    pub(crate) fn send_away(
        &mut self,
        session: &mut Session,
        chosen: &LocalServer,
    ) -> Option<Step> {
        let prefix = chosen.shared.plan.http.redir.as_ref()?;
        let path = session.path_to_send_away()?;
        // As with `redirect prefix`, a slash alone is no prefix at all.
        let prefix = match prefix.as_bytes() {
            b"/" => b"",
            prefix => prefix,
        };
        let reason = message::reason(302);
        let mut out = format!("HTTP/1.1 302 {reason}\r\n").into_bytes();
        out.extend_from_slice(b"cache-control: no-cache\r\ncontent-length: 0\r\nlocation: ");
        let location = prefix.iter().chain(&path);
        out.extend(location.filter(|byte| !matches!(byte, b'\r' | b'\n' | 0)));
        out.extend_from_slice(b"\r\n\r\n");
        chosen
            .shared
            .live
            .count_session(&chosen.counters, self.turn.now);
        session.end(b'L', b'C');
        session.stream().close = true;
        Some(self.answer(session, &out))
    }
}

impl Session {
    /// The path and query of a GET or HEAD, as rules have made them.
    fn path_to_send_away(&self) -> Option<Vec<u8>> {
        let stream = self.http.as_deref()?;
        if !matches!(stream.request.head.method(), Method::Get | Method::Head) {
            return None;
        }
        let head = stream.request.view()?;
        let target = head.part(StartLine::Target);
        let path = Target::parse(target, Method::Get)?.path_and_query(target);
        path.starts_with(b"/").then(|| path.to_vec())
    }
}
