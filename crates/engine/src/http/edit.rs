//! Rules that change a head.

use isthmus_plan::http as from;
use isthmus_proto::http1::{FieldId, Rewrite, StartLine, View as Head};
use isthmus_sample::Format;

use crate::rules::Compiler;
use crate::session::Session;
use crate::view::View;
use crate::worker::Worker;

/// A change.
pub(crate) enum Edit {
    AddHeader(Vec<u8>, Format),
    SetHeader(Vec<u8>, Format),
    DelHeader(Vec<u8>, from::NameMatch),
    SetMethod(Format),
    SetTarget(from::TargetPart, Format),
    SetStatus(u16, Option<Vec<u8>>),
    StrictMode(bool),
}

fn lower(name: &str) -> Vec<u8> {
    name.to_ascii_lowercase().into_bytes()
}

impl Edit {
    /// Compiles an action that changes a head.
    pub(super) fn compile(
        origin: &str,
        from: &from::HttpAction,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        use from::HttpAction as From;
        Some(match from {
            From::AddHeader { name, value } => {
                Self::AddHeader(lower(name), compiler.format(origin, value)?)
            }
            From::SetHeader { name, value } => {
                Self::SetHeader(lower(name), compiler.format(origin, value)?)
            }
            From::DelHeader { name, matching } => {
                Self::DelHeader(name.as_bytes().to_ascii_lowercase(), *matching)
            }
            From::SetMethod { value } => Self::SetMethod(compiler.format(origin, value)?),
            From::SetTarget { part, value } => {
                Self::SetTarget(*part, compiler.format(origin, value)?)
            }
            From::SetStatus { status, reason } => {
                let reason = reason.as_ref().map(|reason| reason.as_bytes().to_vec());
                Self::SetStatus(*status, reason)
            }
            From::StrictMode { on } => Self::StrictMode(*on),
            _ => {
                let message = "the engine does not know this action yet".to_owned();
                compiler.errors.push((origin.to_owned(), message));
                return None;
            }
        })
    }
}

impl Worker {
    /// Makes a change; false where it could not be made and that ends the stream (`strict-mode`).
    pub(super) fn edit(&mut self, session: &mut Session, edit: &Edit) -> bool {
        let text = match edit {
            Edit::AddHeader(_, value)
            | Edit::SetHeader(_, value)
            | Edit::SetMethod(value)
            | Edit::SetTarget(_, value) => value.to_bytes(&View::new(session, &self.turn)),
            _ => Vec::new(),
        };
        if let Edit::StrictMode(on) = edit {
            session.stream().lenient = !on;
            return true;
        }
        let done = session.change(edit, &text);
        done || session.stream().lenient
    }
}

impl Session {
    fn change(&mut self, edit: &Edit, text: &[u8]) -> bool {
        let response = self.judges_response();
        let Some(stream) = self.http.as_deref_mut() else {
            return false;
        };
        let mut rewrite = match response {
            true => std::mem::take(&mut stream.response.rewrite),
            false => std::mem::take(&mut stream.request.rewrite),
        };
        let head = match response {
            true => Head::response(
                &stream.response.head,
                stream.response.buffer.bytes(),
                &rewrite,
            ),
            false => Head::request(
                &stream.request.head,
                stream.request.buffer.bytes(),
                &rewrite,
            ),
        };
        let changes = match edit {
            Edit::SetHeader(name, _) => ids(&head, |own| own == &name[..]),
            Edit::DelHeader(name, how) => ids(&head, |own| matches_name(own, name, *how)),
            _ => Vec::new(),
        };
        let target = match edit {
            Edit::SetTarget(part, _) => with_part(head.part(StartLine::Target), *part, text),
            _ => Vec::new(),
        };
        let done = make(edit, text, &changes, &target, &mut rewrite);
        match response {
            true => stream.response.rewrite = rewrite,
            false => stream.request.rewrite = rewrite,
        }
        done
    }
}

/// The fields whose names pass a test.
fn ids(head: &Head<'_>, test: impl Fn(&[u8]) -> bool) -> Vec<FieldId> {
    let mut found = Vec::new();
    head.for_each_id(|id, name, _| {
        if test(name) {
            found.push(id);
        }
        true
    });
    found
}

fn matches_name(own: &[u8], name: &[u8], how: from::NameMatch) -> bool {
    match how {
        from::NameMatch::Str => own == name,
        from::NameMatch::Beg => own.starts_with(name),
        from::NameMatch::End => own.ends_with(name),
        from::NameMatch::Sub => memchr::memmem::find(own, name).is_some(),
        from::NameMatch::Reg => false,
    }
}

fn make(
    edit: &Edit,
    text: &[u8],
    fields: &[FieldId],
    target: &[u8],
    rewrite: &mut Rewrite,
) -> bool {
    match edit {
        Edit::AddHeader(name, _) => rewrite.add(name, text),
        Edit::SetHeader(name, _) => {
            for id in fields {
                rewrite.remove(*id);
            }
            rewrite.add(name, text)
        }
        Edit::DelHeader(..) => {
            for id in fields {
                rewrite.remove(*id);
            }
            true
        }
        Edit::SetMethod(_) => rewrite.set(StartLine::Method, text),
        Edit::SetTarget(..) => rewrite.set(StartLine::Target, target),
        Edit::SetStatus(status, reason) => {
            let usual = super::message::reason(*status).as_bytes();
            rewrite.set(StartLine::Status, status.to_string().as_bytes())
                && rewrite.set(StartLine::Reason, reason.as_deref().unwrap_or(usual))
        }
        Edit::StrictMode(_) => true,
    }
}

/// A target with one part replaced. Scheme and authority of an absolute one stay.
fn with_part(target: &[u8], part: from::TargetPart, text: &[u8]) -> Vec<u8> {
    let start = path_start(target);
    let (before, rest) = target.split_at_checked(start).unwrap_or((&[], target));
    let question = memchr::memchr(b'?', rest).unwrap_or(rest.len());
    let (path, query) = rest.split_at_checked(question).unwrap_or((rest, &[]));
    match part {
        from::TargetPart::Uri => text.to_vec(),
        from::TargetPart::Pathq => [before, text].concat(),
        from::TargetPart::Path => [before, text, query].concat(),
        from::TargetPart::Query if text.is_empty() => [before, path].concat(),
        from::TargetPart::Query => [before, path, b"?", text].concat(),
    }
}

/// Where the path of a target begins: at once, or behind scheme and authority.
fn path_start(target: &[u8]) -> usize {
    if matches!(target.first(), Some(b'/' | b'*')) {
        return 0;
    }
    let Some(scheme) = memchr::memmem::find(target, b"://") else {
        return 0;
    };
    let behind = target.get(scheme + 3..).unwrap_or_default();
    let slash = behind.iter().position(|byte| matches!(byte, b'/' | b'?'));
    scheme + 3 + slash.unwrap_or(behind.len())
}
