//! What the body of a response goes through on its way. A stream without a filter pays one branch.

use isthmus_proto::http1::Error;

use super::body::{LAST_CHUNK, Reading, Writing, push_chunk};
use super::cache::Storing;
use super::coder::Coder;

/// What is done to one body.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// Stores what the server says.
    pub(crate) storing: Option<Storing>,
    /// Compresses what goes out.
    pub(crate) coder: Option<Coder>,
    /// How the client is told where the body ends.
    pub(crate) writing: Writing,
    /// What goes to the client, framed.
    pub(crate) out: Vec<u8>,
    /// The body's bytes without framing; what the coder made of them.
    data: Vec<u8>,
    coded: Vec<u8>,
    /// Bytes that were given to the coder, and that it gave back, since they were counted last.
    pub(crate) coded_in: usize,
    pub(crate) coded_out: usize,
    /// A limit keeps the body from being compressed; bytes of it since they were counted last.
    pub(crate) bypassing: bool,
    pub(crate) bypassed: usize,
}

impl Filter {
    /// Lets the coder work less or more, where anything limits compression.
    pub(crate) fn strain(&mut self, strained: Option<bool>) {
        if let Some((coder, strained)) = self.coder.as_mut().zip(strained) {
            coder.strain(strained);
        }
    }

    /// The body has no bytes, so that nothing will pass: what is stored is whole.
    pub(crate) fn end_empty(&mut self) {
        if let Some(storing) = self.storing.take() {
            storing.finish();
        }
    }

    /// Reads input by its framing and says how much of it is done with; what the client gets of
    /// it stands in `out`.
    ///
    /// # Errors
    /// The chunks are malformed.
    pub(crate) fn pass(&mut self, reading: &mut Reading, input: &mut [u8]) -> Result<usize, Error> {
        self.out.clear();
        self.data.clear();
        self.coded.clear();
        let open = !reading.is_done();
        let took = reading.take(input, Writing::Data, &mut self.data)?;
        let ends = open && reading.is_done();
        let data_end = self.data.len() - took.trailers.min(self.data.len());
        let (made, trailers) = self.data.split_at(data_end);
        let data = match took.as_is {
            0 => made,
            count => input.get(..count).unwrap_or_default(),
        };
        if self.storing.as_mut().is_some_and(|to| !to.put(data)) {
            self.storing = None;
        }
        if let Some(storing) = self.storing.take_if(|_| ends) {
            storing.finish();
        }
        let data = match &mut self.coder {
            Some(coder) => {
                coder.put(data, ends, &mut self.coded);
                self.coded_in += data.len();
                self.coded_out += self.coded.len();
                &self.coded[..]
            }
            None => {
                self.bypassed += if self.bypassing { data.len() } else { 0 };
                data
            }
        };
        match self.writing {
            Writing::Chunks => push_chunk(data, &mut self.out),
            Writing::Plain | Writing::Data => self.out.extend_from_slice(data),
        }
        if ends && self.writing == Writing::Chunks {
            match trailers.is_empty() {
                true => self.out.extend_from_slice(LAST_CHUNK),
                false => self.out.extend_from_slice(trailers),
            }
        }
        Ok(took.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isthmus_proto::http::Body;
    use isthmus_proto::http1::Rules;

    fn filtered(body: Body, input: &[u8], writing: Writing) -> Vec<u8> {
        let mut filter = Filter {
            writing,
            ..Filter::default()
        };
        let mut reading = Reading::of(body, &Rules::default());
        let mut all = Vec::new();
        for byte in input {
            filter.pass(&mut reading, &mut [*byte]).unwrap();
            all.extend_from_slice(&filter.out);
        }
        assert!(reading.is_done());
        all
    }

    #[test]
    fn chunks_and_trailers_are_framed_anew() {
        let input = b"2;x=y\r\nab\r\n1\r\nc\r\n0\r\nx-t: 1\r\n\r\n";
        let out = filtered(Body::Chunked, input, Writing::Chunks);
        let expected = b"1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\nx-t: 1\r\n\r\n";
        assert_eq!(out, expected);
        assert_eq!(filtered(Body::Chunked, input, Writing::Plain), b"abc");
    }

    #[test]
    fn a_body_of_known_length_becomes_chunks_with_an_end() {
        let out = filtered(Body::Length(2), b"ab", Writing::Chunks);
        assert_eq!(out, b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n");
    }
}
