//! OCSP responses to staple (RFC 6960): whether one is about a certificate, says that it is good,
//! and for how long. Who signed it is for clients to verify.

use crate::certificate::time;
use isthmus_proto::der::{Values, tag};

/// `certStatus` good.
const GOOD: u8 = 0x80;
/// Where `responseBytes`, a version and `nextUpdate` stand.
const FIRST: u8 = 0xa0;

/// A response that can be stapled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Response {
    /// The first second in which it holds, since 1970.
    pub(crate) from: i64,
    /// The last one; `None` where newer information is always there.
    pub(crate) until: Option<i64>,
}

impl Response {
    /// Whether it holds at a second.
    pub(crate) fn holds(&self, second: i64) -> bool {
        self.from <= second && self.until.is_none_or(|last| second <= last)
    }
}

/// Reads a response about the certificate with a serial number.
///
/// # Errors
/// In words, why it is not stapled.
pub(crate) fn read(response: &[u8], serial: &[u8]) -> Result<Response, String> {
    let fields = Values(response)
        .of(tag::SEQUENCE)
        .ok_or("it is no OCSP response")?;
    let mut fields = fields.inside();
    let status = fields.of(tag::ENUMERATED).ok_or("it is no OCSP response")?;
    if status.content != [0] {
        return Err("the responder told an error".to_owned());
    }
    single(fields, serial).unwrap_or_else(|| Err("it is no basic OCSP response".to_owned()))
}

/// The one answer of a response; `None` where the bytes are no basic response.
fn single(mut fields: Values<'_>, serial: &[u8]) -> Option<Result<Response, String>> {
    let mut bytes = fields.of(FIRST)?.inside().of(tag::SEQUENCE)?.inside();
    bytes.of(tag::OID)?;
    let basic = bytes.of(tag::OCTET_STRING)?.inside().of(tag::SEQUENCE)?;
    let mut data = basic.inside().of(tag::SEQUENCE)?.inside();
    data.of(FIRST);
    // The responder's name or key, and when it answered.
    data.next()?;
    data.of(tag::GENERALIZED_TIME)?;
    let mut answers = data.of(tag::SEQUENCE)?.inside();
    let mut answer = answers.of(tag::SEQUENCE)?.inside();
    if answers.next().is_some() {
        return Some(Err("it is about several certificates".to_owned()));
    }
    let about = answer.of(tag::SEQUENCE)?.inside().last()?;
    if about.tag != tag::INTEGER || about.content != serial {
        return Some(Err("it is about another certificate".to_owned()));
    }
    if answer.next()?.tag != GOOD {
        return Some(Err(
            "it does not say that the certificate is good".to_owned()
        ));
    }
    let from = time(answer.of(tag::GENERALIZED_TIME)?)?;
    let until = match answer.of(FIRST) {
        Some(next) => Some(time(next.inside().of(tag::GENERALIZED_TIME)?)?),
        None => None,
    };
    Some(Ok(Response { from, until }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use isthmus_proto::der::write;

    fn response(status: u8, serials: &[u8], good: u8, until: Option<&str>) -> Vec<u8> {
        let at = |text: &str| write(tag::GENERALIZED_TIME, &[text.as_bytes()]);
        let answers: Vec<u8> = serials
            .iter()
            .flat_map(|&serial| {
                let number = write(tag::INTEGER, &[&[serial]]);
                let hash = write(tag::OCTET_STRING, &[&[1; 20]]);
                let about = write(tag::SEQUENCE, &[&hash, &hash, &number]);
                let next = until.map_or_else(Vec::new, |text| write(FIRST, &[&at(text)]));
                let this = at("20200101000000Z");
                write(tag::SEQUENCE, &[&about, &[good, 0], &this, &next])
            })
            .collect();
        let answers = write(tag::SEQUENCE, &[&answers]);
        let who = write(0xa2, &[&write(tag::OCTET_STRING, &[&[2; 20]])]);
        let data = write(tag::SEQUENCE, &[&who, &at("20200101000000Z"), &answers]);
        let basic = write(tag::OCTET_STRING, &[&write(tag::SEQUENCE, &[&data])]);
        let bytes = write(tag::SEQUENCE, &[&[0x06, 1, 1], &basic]);
        let bytes = write(FIRST, &[&bytes]);
        write(tag::SEQUENCE, &[&[tag::ENUMERATED, 1, status], &bytes])
    }

    #[test]
    fn a_good_response_about_the_certificate_holds_for_its_time() {
        let bytes = response(0, &[7], GOOD, Some("20200102000000Z"));
        let found = read(&bytes, &[7]).unwrap();
        assert_eq!(found.until, Some(1_577_923_200));
        assert!(found.holds(1_577_836_800) && found.holds(1_577_923_200));
        assert!(!found.holds(1_577_836_799) && !found.holds(1_577_923_201));
        let endless = read(&response(0, &[7], GOOD, None), &[7]).unwrap();
        assert!(endless.holds(i64::MAX));
        for cut in 0..bytes.len() {
            assert!(read(&bytes[..cut], &[7]).is_err());
        }
    }

    #[test]
    fn other_responses_say_why_they_are_not_stapled() {
        for (bytes, reason) in [
            (response(1, &[7], GOOD, None), "the responder told an error"),
            (
                response(0, &[8], GOOD, None),
                "it is about another certificate",
            ),
            (
                response(0, &[7, 7], GOOD, None),
                "it is about several certificates",
            ),
            (
                response(0, &[7], 0xa1, None),
                "it does not say that the certificate is good",
            ),
            (b"garbage".to_vec(), "it is no OCSP response"),
        ] {
            assert_eq!(read(&bytes, &[7]), Err(reason.to_owned()));
        }
    }
}
