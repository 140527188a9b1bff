//! What a service is told about a request.

use isthmus_plan::ByteString;
use isthmus_plan::http::TimeoutKind;
use isthmus_plan::service::ServiceRequest;
use isthmus_proto::http::Body;
use isthmus_proto::http1::{StartLine, View as Head};

use super::Service;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

impl Worker {
    /// The request as rules left it.
    pub(super) fn service_request(&self, session: &Session, service: &Service) -> ServiceRequest {
        let generation = &session.frontend.generation;
        let usual = generation.global.http.service_timeout;
        let address = |address: std::net::SocketAddr| (address.ip().to_string(), address.port());
        let unique_id = match session.frontend.shared.logger.unique_id.is_empty() {
            true => ByteString::default(),
            false => bytes(View::new(session, &self.turn).unique_id()),
        };
        let mut request = ServiceRequest {
            service: service.name.clone(),
            generation: generation.number,
            method: ByteString::default(),
            target: ByteString::default(),
            version: ByteString::default(),
            fields: Vec::new(),
            length: None,
            source: session.source().map(address),
            destination: session.destination().map(address),
            src_netns: session
                .source_namespace
                .as_ref()
                .map_or_else(String::new, |namespace| namespace.name.clone()),
            frontend: session.frontend.shared.plan.name.clone(),
            backend: session
                .backend
                .as_ref()
                .map_or_else(String::new, |backend| backend.shared.plan.name.clone()),
            unique_id,
            patience: session
                .timeout(TimeoutKind::Server, Some(usual))
                .unwrap_or(0),
        };
        if let Some(stream) = session.http.as_deref() {
            let received = &stream.request;
            let head = Head::request(&received.head, received.buffer.bytes(), &received.rewrite);
            request.method = bytes(head.part(StartLine::Method));
            request.target = bytes(head.part(StartLine::Target));
            // A stream reads as HTTP/1.1 within the proxy.
            request.version = match session.client.is_stream() {
                true => bytes(b"HTTP/2.0"),
                false => bytes(head.version()),
            };
            request.length = match received.head.body() {
                Body::Length(length) => Some(length),
                Body::None | Body::Tunnel => Some(0),
                Body::Chunked | Body::UntilClose => None,
            };
            head.for_each_id(|_, name, value| {
                let name = name.to_ascii_lowercase();
                request.fields.push((ByteString(name), bytes(value)));
                true
            });
        }
        request
    }
}

fn bytes(from: &[u8]) -> ByteString {
    ByteString(from.to_vec())
}
