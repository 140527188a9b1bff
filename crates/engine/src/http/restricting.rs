//! Names of fields that not every server reads alike (`option http-restrict-req-hdr-names`).

use isthmus_plan::http::RestrictNames;
use isthmus_proto::http1::FieldId;

use super::compile::HttpSide;
use super::judge::Judged;
use crate::session::Session;
use crate::worker::Worker;

impl Worker {
    /// What a proxy does about such names, behind its `http-request` rules.
    pub(super) fn restrict_names(&mut self, session: &mut Session, side: &HttpSide) -> Judged {
        if side.restrict_names == RestrictNames::Preserve {
            return Judged::Pass;
        }
        let odd = session.odd_names();
        if odd.is_empty() {
            return Judged::Pass;
        }
        if side.restrict_names == RestrictNames::Delete {
            for id in odd {
                session.stream().request.rewrite.remove(id);
            }
            return Judged::Pass;
        }
        self.count_denied(session);
        session.end(b'P', b'R');
        self.answer_status(session, 403);
        Judged::Answered
    }
}

impl Session {
    /// Fields with other bytes in their names than letters, digits and hyphens.
    fn odd_names(&self) -> Vec<FieldId> {
        let mut odd = Vec::new();
        if let Some(view) = self.http.as_deref().and_then(|s| s.request.view()) {
            view.for_each_id(|id, name, _| {
                if !is_plain(name) {
                    odd.push(id);
                }
                true
            });
        }
        odd
    }
}

fn is_plain(name: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
    name.iter().all(plain)
}

#[cfg(test)]
mod tests {
    use super::is_plain;

    #[test]
    fn only_letters_digits_and_hyphens_are_plain() {
        for plain in ["host", "x-forwarded-for", "X-1"] {
            assert!(is_plain(plain.as_bytes()), "{plain}");
        }
        for odd in ["x_forwarded_for", "x.y", "x!", "x~", "a'b"] {
            assert!(!is_plain(odd.as_bytes()), "{odd}");
        }
    }
}
