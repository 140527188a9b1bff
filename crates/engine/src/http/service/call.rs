//! A call as the control plane holds it: the request, and what its service says. It may be used
//! from any thread, and never from a worker's.

use std::sync::Arc;
use std::time::Duration;

use isthmus_plan::service::{ServiceHead, ServiceRequest};
use isthmus_proto::http1::{Progress, ResponseHead, Rules};

use super::channel::{Body, Channel, Gone};
use crate::http::message;

/// A request that waits for a service's answer. One that is dropped before its end is answered
/// with an error, or broken off.
pub struct Call {
    request: Box<ServiceRequest>,
    channel: Arc<Channel>,
}

/// Why a head was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Nobody waits for it.
    Gone,
    /// It is no head that can be sent, for this reason.
    Bad(String),
}

/// What tells about the connection is the proxy's to say.
const OWN: [&[u8]; 7] = [
    b"connection",
    b"keep-alive",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
];

impl Call {
    pub(super) fn new(request: ServiceRequest, channel: Arc<Channel>) -> Self {
        Self {
            request: Box::new(request),
            channel,
        }
    }

    /// Tells it from other calls.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.channel.number
    }

    /// What is asked for.
    #[must_use]
    pub fn request(&self) -> &ServiceRequest {
        &self.request
    }

    /// The service begins: the call has left the line of those that wait. False: nobody waits for
    /// the answer any more.
    #[must_use]
    pub fn begin(&self) -> bool {
        self.channel.begin()
    }

    /// From now on changes are told by [`crate::Notice::Changed`], once until [`Call::seen`].
    pub fn watch(&self) {
        self.channel.watch();
    }

    /// The last notice was received.
    pub fn seen(&self) {
        self.channel.seen();
    }

    /// Whether nobody waits for the answer any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.channel.is_gone()
    }

    /// Reads at most `most` bytes of the request's body, waiting at most `patience` for the first.
    ///
    /// # Errors
    /// Nobody waits for the answer any more.
    pub fn read(&self, most: usize, patience: Duration) -> Result<Body, Gone> {
        self.channel.read(most, patience)
    }

    /// Gives the response's head. It is sent with the first bytes of the body, or at the end.
    ///
    /// # Errors
    /// It is no head, there was one already, or nobody waits for it.
    pub fn start(&self, head: &ServiceHead) -> Result<(), Refused> {
        let (text, left) = written(head).map_err(Refused::Bad)?;
        match self.channel.start(text, left) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refused::Bad("the response has begun already".to_owned())),
            Err(Gone) => Err(Refused::Gone),
        }
    }

    /// Gives bytes of the response's body: tells how many were taken, waiting at most `patience`
    /// until there is room for any. None at all sends what there is.
    ///
    /// # Errors
    /// There are more bytes than the head promised, or nobody waits for them.
    pub fn write(&self, bytes: &[u8], patience: Duration) -> Result<usize, Refused> {
        match self.channel.left() {
            Some(left) if bytes.len() as u64 > left => Err(Refused::Bad(format!(
                "the body is longer than its content-length, by {} bytes",
                bytes.len() as u64 - left
            ))),
            _ => self
                .channel
                .write(bytes, patience)
                .map_err(|Gone| Refused::Gone),
        }
    }

    /// The response is whole. One that lacks bytes that its head promised is broken off.
    pub fn finish(&self) {
        self.channel.end(true);
    }

    /// The service failed: the client gets an error, or its connection is broken off.
    pub fn fail(&self) {
        self.channel.end(false);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.channel.end(false);
    }
}

/// The text of a head, and how many bytes it promises.
fn written(head: &ServiceHead) -> Result<(Vec<u8>, Option<u64>), String> {
    let status = head.status;
    if !(200..=599).contains(&status) {
        return Err(format!("a response cannot have the status {status}"));
    }
    let usual = message::reason(status);
    let reason = head
        .reason
        .as_ref()
        .map_or(usual.as_bytes(), |r| r.as_bytes());
    if breaks_line(reason) {
        return Err("the reason holds a line end or a NUL".to_owned());
    }
    let mut text = [format!("HTTP/1.1 {status} ").as_bytes(), reason, b"\r\n"].concat();
    let mut left = None;
    for (name, value) in &head.fields {
        let lower = name.as_bytes().to_ascii_lowercase();
        if breaks_line(&lower) || breaks_line(value.as_bytes()) {
            let name = String::from_utf8_lossy(&lower).into_owned();
            return Err(format!("the field {name:?} holds a line end or a NUL"));
        }
        if OWN.contains(&&*lower) {
            let name = String::from_utf8_lossy(&lower).into_owned();
            return Err(format!("the field {name} is the proxy's own to say"));
        }
        if lower == b"content-length" {
            left = Some(length(value.as_bytes(), left)?);
            if status == 204 {
                continue;
            }
        }
        text.extend_from_slice(&lower);
        text.extend_from_slice(b": ");
        text.extend_from_slice(value.as_bytes());
        text.extend_from_slice(b"\r\n");
    }
    if left.is_none() && !matches!(status, 204 | 304) {
        text.extend_from_slice(b"transfer-encoding: chunked\r\n");
    }
    text.extend_from_slice(b"\r\n");
    let whole = text.len();
    match ResponseHead::default().read(&mut text.clone(), &rules()) {
        Ok(Progress::Complete(length)) if length == whole => Ok((text, left)),
        _ => Err("the reason or a field cannot be sent in a head".to_owned()),
    }
}

/// Whether bytes would begin another line of a head: what a client sent must not add fields.
fn breaks_line(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// A service's head may be as long as it likes, as all answers of the proxy's own.
pub(super) fn rules() -> Rules {
    Rules {
        head: u32::MAX,
        fields: 1000,
        ..Rules::default()
    }
}

fn length(value: &[u8], before: Option<u64>) -> Result<u64, String> {
    let text = std::str::from_utf8(value).unwrap_or_default();
    match text.parse() {
        Ok(length) if before.is_none() && value.iter().all(u8::is_ascii_digit) => Ok(length),
        _ => Err("the content-length is no number, or said twice".to_owned()),
    }
}
