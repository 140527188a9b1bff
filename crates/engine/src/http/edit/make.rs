//! Changes of a head.

use isthmus_pattern::Expression;
use isthmus_plan::http as from;
use isthmus_proto::http1::{FieldId, Rewrite, StartLine, View as Head};
use isthmus_sample::substitute;

use super::Edit;
use super::target::{part_of, with_part};
use crate::http::message;
use crate::session::Session;

/// Bytes that the changes of a head may come to without being counted: a head is received within the
/// buffer less `tune.maxrewrite`, by default and at least this.
const SMALL: usize = 1024;

/// What is to be changed of fields: nothing left of one, or another value.
type FieldChange = (FieldId, Option<Vec<u8>>);

impl Session {
    /// Makes a change of the head that rules look at; false where it cannot be made.
    pub(super) fn change(&mut self, edit: &Edit, text: &[u8]) -> bool {
        let response = self.judges_response();
        let bufsize = self.frontend.generation.global.bufsize;
        let Some(stream) = self.http.as_deref_mut() else {
            return false;
        };
        match response {
            true => {
                let said = &mut stream.response;
                let head = Head::response(&said.head, said.buffer.bytes(), &said.rewrite);
                Change::plan(&head, edit, text, (said.rewrite.growth(), bufsize))
                    .is_some_and(|change| change.make(edit, text, &mut said.rewrite))
            }
            false => {
                let asked = &mut stream.request;
                let head = Head::request(&asked.head, asked.buffer.bytes(), &asked.rewrite);
                Change::plan(&head, edit, text, (asked.rewrite.growth(), bufsize))
                    .is_some_and(|change| change.make(edit, text, &mut asked.rewrite))
            }
        }
    }
}

/// What is to be done for a rule, found out by looking at the head as it is.
#[derive(Default)]
struct Change {
    target: Option<Vec<u8>>,
    host: Option<(FieldId, Vec<u8>)>,
    fields: Vec<FieldChange>,
}

impl Change {
    /// What a rule comes to; none where it cannot be carried out. `room` is by how much the head has
    /// grown already, and the size of a buffer.
    fn plan(head: &Head<'_>, edit: &Edit, text: &[u8], room: (usize, usize)) -> Option<Self> {
        let target = new_target(head, edit, text).ok()?;
        let change = match target {
            Some(target) => Self {
                // A target that names another place, and Host, must agree (RFC 9112, 3.2.2).
                host: new_host(head, &target),
                target: Some(target),
                ..Self::default()
            },
            None => Self {
                target: relocated(head, edit, text),
                fields: new_fields(head, edit, text),
                host: None,
            },
        };
        has_room(head, room, change.news(edit, text)).then_some(change)
    }

    /// Notes it; false, and nothing is changed, where the text is none that can stand there.
    fn make(self, edit: &Edit, text: &[u8], rewrite: &mut Rewrite) -> bool {
        let mut fits = (self.target).is_none_or(|target| rewrite.set(StartLine::Target, &target));
        fits = fits && make(edit, text, rewrite);
        if !fits {
            return false;
        }
        for (id, value) in self.fields {
            match value {
                Some(value) => rewrite.set_value(id, &value),
                None => rewrite.remove(id),
            }
        }
        if let Some((id, host)) = self.host {
            rewrite.set_value(id, &host);
        }
        true
    }

    /// Bytes of text that it brings.
    fn news(&self, edit: &Edit, text: &[u8]) -> usize {
        let added = match edit {
            Edit::AddHeader(name, _) | Edit::SetHeader(name, _) => name.len() + text.len() + 4,
            Edit::SetMethod(_) => text.len(),
            _ => 0,
        };
        let target = self.target.as_ref().map_or(0, Vec::len);
        let values = self.fields.iter().filter_map(|(_, value)| value.as_ref());
        added + target + values.map(Vec::len).sum::<usize>()
    }
}

/// Whether a head has room in a buffer for more text (`tune.bufsize`): what a rule adds takes part of
/// what `tune.maxrewrite` keeps free, and what is behind that is not rewritten (`strict-mode`).
pub(super) fn has_room(head: &Head<'_>, (growth, bufsize): (usize, usize), news: usize) -> bool {
    // Most changes are so small that nothing has to be counted: a head as received had room.
    if growth + news <= SMALL {
        return true;
    }
    let mut length = news;
    head.pieces(None, &mut |piece| length += piece.len());
    length <= bufsize
}

/// The target as a change makes it; `None` where it stays.
///
/// # Errors
/// It is malformed, and the change refuses that.
fn new_target(head: &Head<'_>, edit: &Edit, text: &[u8]) -> Result<Option<Vec<u8>>, ()> {
    let target = head.part(StartLine::Target);
    match edit {
        Edit::SetTarget(part, _) => Ok(Some(with_part(target, *part, text))),
        Edit::ReplaceTarget(part, regex, _) => Ok(replaced(regex, part_of(target, *part), text)
            .map(|text| with_part(target, *part, &text))),
        Edit::Normalize(normalizer) => normalizer.apply(target).map(Some).ok_or(()),
        _ => Ok(None),
    }
}

/// An absolute target that says the same as a Host that is set.
fn relocated(head: &Head<'_>, edit: &Edit, text: &[u8]) -> Option<Vec<u8>> {
    match edit {
        Edit::SetHeader(name, _) if name == b"host" => {
            super::target::with_authority(head.part(StartLine::Target), text)
        }
        _ => None,
    }
}

/// Host as an absolute target wants it, where it says another.
fn new_host(head: &Head<'_>, target: &[u8]) -> Option<(FieldId, Vec<u8>)> {
    let (before, ..) = super::target::split(target);
    let scheme = memchr::memmem::find(before, b"://")?;
    let authority = before.get(scheme + 3..)?;
    let mut host = None;
    head.for_each_id(|id, name, value| {
        if name == b"host" && value != authority {
            host = Some((id, authority.to_vec()));
        }
        name != b"host"
    });
    host
}

fn new_fields(head: &Head<'_>, edit: &Edit, text: &[u8]) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    if let Edit::AddHeader(..) | Edit::SetMethod(_) | Edit::SetStatus(..) = edit {
        return changes;
    }
    head.for_each_id(|id, own, value| {
        match edit {
            Edit::SetHeader(name, _) if own == &name[..] => changes.push((id, None)),
            Edit::DelHeader(name, how) if matches_name(own, name, *how) => changes.push((id, None)),
            Edit::DelMatching(regex) if regex.is_match(own) => changes.push((id, None)),
            Edit::Replace {
                name,
                regex,
                elements,
                ..
            } if own == &name[..] => {
                let made = match elements {
                    true => replaced_elements(regex, value, text),
                    false => replaced(regex, value, text),
                };
                changes.extend(made.map(|made| (id, Some(made))));
            }
            _ => {}
        }
        true
    });
    changes
}

/// What stands instead of a text that matches; `None` where it does not.
fn replaced(regex: &Expression, text: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    let groups = regex.groups_at(text, 0)?;
    let mut out = Vec::with_capacity(by.len());
    substitute(by, &groups, &mut out);
    Some(out)
}

/// The same for each element of a comma-separated value. The spaces around one that is replaced
/// go with it, as in HAProxy.
fn replaced_elements(regex: &Expression, value: &[u8], by: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(value.len());
    let mut any = false;
    for (index, element) in value.split(|byte| *byte == b',').enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let inner = element.trim_ascii();
        match replaced(regex, inner, by) {
            Some(made) => {
                any = true;
                out.extend_from_slice(&made);
            }
            None => out.extend_from_slice(element),
        }
    }
    any.then_some(out)
}

pub(super) fn matches_name(own: &[u8], name: &[u8], how: from::NameMatch) -> bool {
    match how {
        from::NameMatch::Str => own == name,
        from::NameMatch::Beg => own.starts_with(name),
        from::NameMatch::End => own.ends_with(name),
        from::NameMatch::Sub => memchr::memmem::find(own, name).is_some(),
        from::NameMatch::Reg => false,
    }
}

fn make(edit: &Edit, text: &[u8], rewrite: &mut Rewrite) -> bool {
    match edit {
        Edit::AddHeader(name, _) | Edit::SetHeader(name, _) => rewrite.add(name, text),
        Edit::SetMethod(_) => rewrite.set(StartLine::Method, text),
        Edit::SetStatus(status, reason) => {
            let usual = message::reason(*status).as_bytes();
            rewrite.set(StartLine::Status, status.to_string().as_bytes())
                && rewrite.set(StartLine::Reason, reason.as_deref().unwrap_or(usual))
        }
        _ => true,
    }
}
