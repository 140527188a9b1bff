//! The request on its way to the server: what the proxy adds to its head, and its first write.

use std::io::IoSlice;

use isthmus_plan::LogStep;
use isthmus_plan::http::ConnectionMode;
use isthmus_proto::http::Method;
use isthmus_proto::http1::{FieldId, Forward, Persistence, Rewrite, View as Head};

use super::body::Writing;
use super::coding::Algorithm;
use super::compile::AddressHeader;
use super::spelling::Spellings;
use super::stream::Stream;
use crate::flow::{Flow, Pumped};
use crate::session::{Phase, Session};
use crate::view::View;
use crate::worker::{Step, Worker};

impl Worker {
    /// The server connection stands: the request goes out.
    pub(crate) fn send_request(&mut self, session: &mut Session) -> Step {
        if session.http.as_deref().is_some_and(|s| !s.prepared) {
            self.prepare_request(session);
        }
        self.log_step(session, LogStep::Connect);
        session.say_server_name();
        session.conceal_request();
        session.phase = Phase::Exchange;
        let Session {
            http: Some(stream),
            server: Some(server),
            backend,
            frontend,
            up,
            ..
        } = session
        else {
            return Step::Close;
        };
        self.made.clear();
        stream.begin_request_filter(frontend.generation.global.http.compression_level);
        let coder = stream
            .request_filter
            .as_mut()
            .and_then(|f| f.coder.as_mut());
        if let Some(coder) = coder {
            self.count_coder(coder, &frontend.generation);
        }
        let plan = backend.as_deref().and_then(|b| b.shared.plan.http.as_ref());
        if plan.is_some_and(|http| http.drop_request_trailers) {
            stream.request.reading.drop_trailers();
        }
        let side = backend.as_deref().and_then(|b| b.shared.http.as_ref());
        let spellings = side.and_then(|side| side.spellings.as_ref());
        let sent = write_request(stream, server, up, (spellings, &mut self.made));
        self.count_coded_request(session);
        match sent {
            // What the server said before it broke is still read.
            Ok(Pumped::DestinationBroken) => session.server_failed = true,
            Ok(_) => {}
            Err(status) => return self.request_body_is_bad(session, status),
        }
        Step::Again
    }

    /// Adds what the configuration wants to be added, and takes away what is for this connection.
    fn prepare_request(&mut self, session: &mut Session) {
        let (mut rewrite, closes_server) = match session.http.as_deref_mut() {
            Some(stream) => {
                let closes = stream.settle_request();
                (std::mem::take(&mut stream.request.rewrite), closes)
            }
            None => return,
        };
        // Evaluations look at the head as it was before: what is added here is seen by no rule.
        self.add_fields(session, &mut rewrite);
        session.choose_coding(&mut rewrite);
        let mode = session.connection_mode();
        let closes_client = session.closes_client();
        let pretends = session.pretends_keepalive();
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        let request = &stream.request;
        let head = &request.head;
        let chunks = matches!(request.reading, super::body::Reading::Chunks(_));
        let how = Forward {
            protected: &[],
            chunks,
        };
        head.forward(request.buffer.bytes(), how, &mut rewrite);
        stream.upgrade = head.asks_upgrade();
        let upgrade = stream.upgrade;
        let coding = session.choose_request_coding(&rewrite);
        let coding = coding.filter(|_| self.may_compress(&session.frontend.generation));
        let Some(stream) = session.http.as_deref_mut() else {
            return;
        };
        if let Some((algorithm, lengths)) = coding.filter(|_| !upgrade) {
            say_coded(&mut rewrite, algorithm, &lengths);
            stream.request_coding = Some(algorithm);
        }
        let head = &stream.request.head;
        stream.request_writing = if chunks {
            Writing::Chunks
        } else {
            Writing::Plain
        };
        let is_11 = head.version() == isthmus_proto::http::Version::HTTP_11;
        if !stream.upgrade {
            if closes_server || mode != ConnectionMode::KeepAlive {
                if is_11 && !pretends {
                    rewrite.add(b"connection", b"close");
                }
                stream.single = true;
            } else if !is_11 {
                rewrite.add(b"connection", b"keep-alive");
            }
        }
        stream.close |= head.persistence() == Persistence::Close || closes_client;
        if stream.upgrade || stream.method == Method::Connect {
            stream.single = true;
        }
        stream.spent |= stream.single;
        stream.prepared = true;
        stream.request.rewrite = rewrite;
    }

    fn add_fields(&self, session: &Session, rewrite: &mut Rewrite) {
        let frontend = &session.frontend.shared;
        let Some(stream) = session.http.as_deref() else {
            return;
        };
        let backend = session.backend.as_deref().map(|b| &b.shared);
        let sides = [
            frontend.http.as_ref(),
            backend.and_then(|b| b.http.as_ref()),
        ];
        let each = |pick: fn(&super::HttpSide) -> Option<&AddressHeader>| {
            sides.map(|side| side.and_then(pick))
        };
        let forwardfor = each(|side| side.forwardfor.as_ref());
        add_address(forwardfor, || session.source(), stream, rewrite);
        let originalto = each(|side| side.originalto.as_ref());
        add_address(originalto, || session.destination(), stream, rewrite);
        // The server may refuse it until nobody else can have sent it (RFC 8470 section 5.1).
        if session.client.is_early() && !names(stream, b"early-data") {
            rewrite.add(b"early-data", b"1");
        }
        let forwarded = backend.and_then(|b| b.http.as_ref()?.forwarded.as_ref());
        if let Some(forwarded) = forwarded {
            let value = forwarded.value(session, &View::new(session, &self.turn));
            if !value.is_empty() {
                rewrite.add(b"forwarded", &value);
            }
        }
        let plan = frontend.plan.http.as_ref();
        if let Some(name) = plan.and_then(|http| http.unique_id_header.as_ref()) {
            let view = View::new(session, &self.turn);
            rewrite.add(name.as_bytes(), view.unique_id());
        }
    }

    /// The request's body is malformed: the server has seen a part of it, and gets no more.
    pub(super) fn request_body_is_bad(&mut self, session: &mut Session, status: u16) -> Step {
        let answered = session.stream().answered;
        session.end(b'P', if answered { b'D' } else { b'H' });
        let stream = session.stream();
        stream.close = true;
        stream.spent = true;
        stream.request.taken = stream.request.buffer.len();
        if stream.answered {
            return Step::Close;
        }
        self.answer_status(session, status)
    }
}

/// Writes the head and what of the body came with it.
///
/// # Errors
/// The status for a body that is malformed.
fn write_request(
    stream: &mut Stream,
    server: &mut crate::transport::Transport,
    up: &mut Flow,
    (spellings, made): (Option<&Spellings>, &mut Vec<u8>),
) -> Result<Pumped, u16> {
    let writing = stream.request_writing;
    let request = &mut stream.request;
    let taken = request.taken;
    let body = request
        .buffer
        .bytes_mut()
        .get_mut(taken..)
        .unwrap_or_default();
    let took = if let Some(filter) = &mut stream.request_filter {
        let used = filter.pass(&mut request.reading, body);
        made.extend_from_slice(&filter.out);
        super::body::Taken {
            used: used.map_err(|error| error.kind.status())?,
            as_is: 0,
            trailers: 0,
        }
    } else if body.is_empty() {
        super::body::Taken::as_is(0)
    } else {
        let result = request.reading.take(body, writing, made);
        result.map_err(|error| error.kind.status())?
    };
    request.taken += took.used;
    let bytes = request.buffer.bytes();
    let view = isthmus_proto::http1::View::request(&request.head, bytes, &request.rewrite);
    let mut pieces: Vec<IoSlice<'_>> = Vec::new();
    match spellings {
        None => view.io_slices(None, &mut pieces),
        Some(spellings) => view.io_slices(Some(&|name: &[u8]| spellings.of(name)), &mut pieces),
    }
    let as_is = bytes.get(taken..taken + took.as_is).unwrap_or_default();
    for piece in [as_is, &made[..]] {
        if !piece.is_empty() {
            pieces.push(IoSlice::new(piece));
        }
    }
    Ok(up.write_pieces(server, &pieces))
}

/// Changes the head as a coded body needs it.
fn say_coded(rewrite: &mut Rewrite, algorithm: Algorithm, lengths: &[FieldId]) {
    for id in lengths {
        rewrite.remove(*id);
    }
    if !lengths.is_empty() {
        rewrite.add(b"transfer-encoding", b"chunked");
    }
    rewrite.add(b"content-encoding", algorithm.token().as_bytes());
}

/// Whether the request was received with a field of this name.
fn names(stream: &Stream, name: &[u8]) -> bool {
    let request = &stream.request;
    let bytes = request.buffer.bytes();
    let mut fields = request.head.fields().as_slice().iter();
    fields.any(|field| field.name.of(bytes).eq_ignore_ascii_case(name))
}

/// Adds what the frontend's and the backend's lines want together: the backend's name of the
/// field, no address that either of them excepts, and `if-none` only where both say it (manual,
/// `option forwardfor`).
fn add_address(
    said: [Option<&AddressHeader>; 2],
    address: impl FnOnce() -> Option<std::net::SocketAddr>,
    stream: &Stream,
    rewrite: &mut Rewrite,
) {
    let [front, back] = said;
    let Some(header) = back.or(front) else {
        return;
    };
    let Some(ip) = address().map(|address| address.ip()) else {
        return;
    };
    let mut said = said.into_iter().flatten();
    let excepted = said.clone().any(|header| {
        let mut networks = header.except.iter();
        networks.any(|(network, bits)| crate::network::contains(*network, *bits, ip))
    });
    if excepted || (said.all(|header| header.if_none) && names(stream, &header.name)) {
        return;
    }
    rewrite.add(&header.name, ip.to_string().as_bytes());
}

impl Session {
    /// Tells the server its name (`http-send-name-header`): another one where the request was on
    /// its way to another before.
    fn say_server_name(&mut self) {
        let backend = self.backend.as_ref().map(|backend| &backend.shared.plan);
        let http = backend.and_then(|plan| plan.http.as_ref());
        let Some(name) = http.and_then(|http| http.name_header.as_ref()) else {
            return;
        };
        let (Some(stream), Some(chosen)) = (self.http.as_deref_mut(), &self.chosen) else {
            return;
        };
        let request = &mut stream.request;
        let mut there = Vec::new();
        let head = Head::request(&request.head, request.buffer.bytes(), &request.rewrite);
        head.for_each_id(|id, own, _| {
            if own.eq_ignore_ascii_case(name.as_bytes()) {
                there.push(id);
            }
            true
        });
        for id in there {
            request.rewrite.remove(id);
        }
        let server = chosen.shared.plan.name.as_bytes();
        request.rewrite.add(name.as_bytes(), server);
    }

    /// `option httpclose` of the frontend; a backend's is about the server's connection alone.
    fn closes_client(&self) -> bool {
        let front = self.frontend.shared.plan.http.as_ref();
        front.is_some_and(|http| http.common.connection == ConnectionMode::Close)
    }

    /// `option http-pretend-keepalive`: the server is not told that its connection will be closed.
    fn pretends_keepalive(&self) -> bool {
        let back = self.backend.as_ref();
        let back = back.and_then(|b| b.shared.plan.http.as_ref());
        back.is_some_and(|http| http.pretend_keepalive)
    }

    /// What happens to the server's connection behind this exchange: the stricter side's word.
    pub(super) fn connection_mode(&self) -> ConnectionMode {
        let front = self.frontend.shared.plan.http.as_ref();
        let back = self
            .backend
            .as_ref()
            .and_then(|b| b.shared.plan.http.as_ref());
        let front = front.map_or(ConnectionMode::KeepAlive, |h| h.common.connection);
        let back = back.map_or(ConnectionMode::KeepAlive, |h| h.common.connection);
        front.max(back)
    }
}
