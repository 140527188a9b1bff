//! Fields that come as one binary sample: `add-headers-bin`, `set-headers-bin`, `del-headers-bin`.
//! The whole list is read before anything is changed, so that a malformed one changes nothing.

use isthmus_plan::http as from;
use isthmus_proto::http1::{FieldId, Rewrite, StartLine, View as Head};
use isthmus_sample::{Compiled, Kind, Sample};

use super::make::{has_room, matches_name};
use super::target::with_authority;
use crate::http::message::encoded;
use crate::rules::Compiler;
use crate::session::Session;
use crate::turn::Turn;
use crate::view::View;

/// A change of many fields at once.
pub(crate) struct Listed {
    how: How,
    list: Compiled,
}

/// What is done with a list.
enum How {
    /// Names and values are added, those that begin so.
    Add(Vec<u8>),
    /// As many `set-header` in a row.
    Set(Vec<u8>),
    /// Names are removed, compared so.
    Delete(from::NameMatch),
}

/// A name in lower case, and a value.
type Field = (Vec<u8>, Vec<u8>);

impl Listed {
    pub(super) fn compile(
        origin: &str,
        from: &from::HttpAction,
        compiler: &mut Compiler<'_>,
    ) -> Option<Self> {
        use from::HttpAction as From;
        let lower = |prefix: &isthmus_plan::ByteString| prefix.as_bytes().to_ascii_lowercase();
        let (how, list) = match from {
            From::AddHeadersBin { list, prefix } => (How::Add(lower(prefix)), list),
            From::SetHeadersBin { list, prefix } => (How::Set(lower(prefix)), list),
            From::DelHeadersBin { list, matching } => (How::Delete(*matching), list),
            _ => return None,
        };
        let list = compiler.expression(origin, list)?;
        Some(Self { how, list })
    }
}

impl Session {
    /// Makes the change; false where the list is malformed or too long. An expression without a
    /// value lists nothing.
    pub(super) fn change_listed(&mut self, listed: &Listed, turn: &Turn) -> bool {
        let list = match listed.list.value_as(&View::new(self, turn), Kind::Bin) {
            Some(Sample::Bin(list) | Sample::Str(list)) => list.into_owned(),
            _ => return true,
        };
        let global = &self.frontend.generation.global;
        let (most, bufsize) = (global.http.maxhdr.saturating_sub(1), global.bufsize);
        let read = match &listed.how {
            How::Add(prefix) | How::Set(prefix) => read_fields(&list, prefix, most),
            How::Delete(_) => read_names(&list, most),
        };
        let Some(mut fields) = read else {
            return false;
        };
        if matches!(listed.how, How::Set(_)) {
            keep_last(&mut fields);
        }
        let response = self.judges_response();
        let Some(stream) = self.http.as_deref_mut() else {
            return false;
        };
        // Names alone bring nothing.
        let news: &[Field] = match listed.how {
            How::Delete(_) => &[],
            How::Add(_) | How::Set(_) => &fields,
        };
        let found = |head: &Head<'_>, growth: usize| {
            let size = news
                .iter()
                .map(|(name, value)| name.len() + value.len() + 4);
            let plan = plan(head, &listed.how, &fields, most)?;
            has_room(head, (growth, bufsize), size.sum()).then_some(plan)
        };
        match response {
            true => {
                let said = &mut stream.response;
                let head = Head::response(&said.head, said.buffer.bytes(), &said.rewrite);
                found(&head, said.rewrite.growth())
                    .is_some_and(|plan| plan.apply(&mut said.rewrite, news))
            }
            false => {
                let asked = &mut stream.request;
                let head = Head::request(&asked.head, asked.buffer.bytes(), &asked.rewrite);
                found(&head, asked.rewrite.growth())
                    .is_some_and(|plan| plan.apply(&mut asked.rewrite, news))
            }
        }
    }
}

/// What is to go of a head, and the target that agrees with a new Host.
struct Plan {
    gone: Vec<FieldId>,
    target: Option<Vec<u8>>,
}

/// `None` if the head would have more fields than `tune.http.maxhdr` allows.
fn plan(head: &Head<'_>, how: &How, fields: &[Field], most: usize) -> Option<Plan> {
    let mut gone = Vec::new();
    let mut count = 0;
    head.for_each_id(|id, own, _| {
        let goes = match how {
            How::Add(_) => false,
            How::Set(_) => fields.iter().any(|(name, _)| name == own),
            How::Delete(how) => fields.iter().any(|(name, _)| matches_name(own, name, *how)),
        };
        match goes {
            true => gone.push(id),
            false => count += 1,
        }
        true
    });
    let host = fields.iter().find(|(name, _)| name == b"host");
    let target = match (how, host) {
        (How::Set(_), Some((_, host))) => with_authority(head.part(StartLine::Target), host),
        _ => None,
    };
    let new = match how {
        How::Delete(_) => 0,
        How::Add(_) | How::Set(_) => fields.len(),
    };
    (new == 0 || count + new <= most).then_some(Plan { gone, target })
}

impl Plan {
    /// Carries it out; false, and nothing is changed, where the target cannot hold the new Host.
    fn apply(self, rewrite: &mut Rewrite, news: &[Field]) -> bool {
        let fits = (self.target).is_none_or(|target| rewrite.set(StartLine::Target, &target));
        if fits {
            for id in self.gone {
                rewrite.remove(id);
            }
        }
        fits && news.iter().all(|(name, value)| rewrite.add(name, value))
    }
}

/// Names and values up to an empty name or the list's end, of those that begin so. `None` if the
/// list ends in the midst of one, or if a name is none that a field can have.
fn read_fields(mut list: &[u8], prefix: &[u8], most: usize) -> Option<Vec<Field>> {
    let mut fields = Vec::new();
    while !list.is_empty() {
        let (name, rest) = piece(list)?;
        let (value, rest) = piece(rest)?;
        if name.is_empty() {
            return value.is_empty().then_some(fields);
        }
        list = rest;
        let name = name.to_ascii_lowercase();
        if name.starts_with(prefix) {
            if fields.len() == most || !isthmus_proto::http::is_field_name(&name) {
                return None;
            }
            fields.push((name, encoded(value.into()).into_owned()));
        }
    }
    Some(fields)
}

/// Names up to an empty one or the list's end; the values are empty.
fn read_names(mut list: &[u8], most: usize) -> Option<Vec<Field>> {
    let mut names = Vec::new();
    while !list.is_empty() {
        let (name, rest) = piece(list)?;
        if name.is_empty() {
            break;
        }
        if names.len() == most {
            return None;
        }
        list = rest;
        names.push((name.to_ascii_lowercase(), Vec::new()));
    }
    Some(names)
}

/// The last of each name, as if each had been set in its turn.
fn keep_last(fields: &mut Vec<Field>) {
    let mut at = 0;
    while at < fields.len() {
        let name = fields.get(at).map(|(name, _)| name);
        let again = fields
            .iter()
            .skip(at + 1)
            .any(|(other, _)| Some(other) == name);
        match again {
            true => drop(fields.remove(at)),
            false => at += 1,
        }
    }
}

/// A text behind its length, and what is behind it.
fn piece(list: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = length(list)?;
    rest.split_at_checked(length)
}

/// A length as SPOE writes it (SPOE.txt, 3.1): below 240 one byte; else four bits of the first, and
/// seven of each that follows, up to one below 128.
fn length(list: &[u8]) -> Option<(usize, &[u8])> {
    let (first, mut rest) = list.split_first()?;
    let mut value = u64::from(*first);
    if *first < 240 {
        return Some((usize::from(*first), rest));
    }
    for shift in (4..=53).step_by(7) {
        let (byte, behind) = rest.split_first()?;
        rest = behind;
        value = value.checked_add(u64::from(*byte) << shift)?;
        if *byte < 128 {
            return Some((usize::try_from(value).ok()?, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[u8]) -> Option<Vec<String>> {
        let fields = read_fields(list, b"", 4)?;
        let text = |(name, value): (Vec<u8>, Vec<u8>)| {
            format!(
                "{}={}",
                String::from_utf8_lossy(&name),
                String::from_utf8_lossy(&value)
            )
        };
        Some(fields.into_iter().map(text).collect())
    }

    #[test]
    fn a_list_ends_at_an_empty_name_or_with_its_bytes() {
        for list in [
            &b"\x01A\x02bc\x00\x00"[..],
            b"\x01A\x02bc",
            b"\x01A\x02bc\x00\x00\x01x\x01y",
        ] {
            assert_eq!(names(list), Some(vec!["a=bc".to_owned()]), "{list:?}");
        }
        assert_eq!(names(b""), Some(vec![]));
        assert_eq!(names(b"\x00\x00"), Some(vec![]));
    }

    #[test]
    fn what_ends_in_the_midst_or_names_no_field_is_malformed() {
        for list in [
            &b"\x01"[..],
            b"\x01A",
            b"\x01A\x02b",
            b"\x00",
            b"\x00\x01x",
            b"\x03A b\x01x",
            b"\x05:path\x01/",
            b"\x03a\r\n\x01x",
            b"\xf0",
            b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00",
            b"\x01a\x00\x01b\x00\x01c\x00\x01d\x00\x01e\x00",
        ] {
            assert_eq!(names(list), None, "{list:?}");
        }
    }

    #[test]
    fn a_line_break_in_a_value_begins_no_other_line() {
        assert_eq!(
            names(b"\x01a\x07b\r\nc: d"),
            Some(vec!["a=b%0D%0Ac: d".to_owned()])
        );
    }

    #[test]
    fn lengths_are_read_as_they_are_written() {
        for (written, read) in [
            (&b"\xef"[..], 239),
            (b"\xf0\x00", 240),
            (b"\xff\x00", 255),
            (b"\xf0\x01", 256),
            (b"\xff\x7f", 2287),
            (b"\xf0\x80\x00", 2288),
            (b"\xff\xff\x7f", 264_431),
        ] {
            assert_eq!(length(written), Some((read, &b""[..])), "{written:?}");
        }
    }

    #[test]
    fn the_last_of_a_name_is_what_is_set() {
        let field = |name: &str, value: &str| (name.as_bytes().to_vec(), value.as_bytes().to_vec());
        let mut fields = vec![field("a", "1"), field("b", "2"), field("a", "3")];
        keep_last(&mut fields);
        assert_eq!(fields, [field("b", "2"), field("a", "3")]);
    }
}
