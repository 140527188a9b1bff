//! table: the types of data that an entry may store, and the events that are counted in them.

/// A type of data (manual, `stick-table`, `store`), in the order in which `show table` writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Data {
    /// The number of a server.
    ServerId,
    /// The first tag.
    Gpt0,
    /// The first general purpose counter.
    Gpc0,
    /// Its rate.
    Gpc0Rate,
    /// Connections.
    ConnCnt,
    /// Their rate.
    ConnRate,
    /// Connections that are there now.
    ConnCur,
    /// Sessions.
    SessCnt,
    /// Their rate.
    SessRate,
    /// Requests.
    HttpReqCnt,
    /// Their rate.
    HttpReqRate,
    /// Requests that clients are to blame for.
    HttpErrCnt,
    /// Their rate.
    HttpErrRate,
    /// Bytes from clients.
    BytesInCnt,
    /// Their rate.
    BytesInRate,
    /// Bytes to clients.
    BytesOutCnt,
    /// Their rate.
    BytesOutRate,
    /// The second general purpose counter.
    Gpc1,
    /// Its rate.
    Gpc1Rate,
    /// The name or address of a server.
    ServerKey,
    /// Responses that servers are to blame for.
    HttpFailCnt,
    /// Their rate.
    HttpFailRate,
    /// Tags.
    Gpt,
    /// General purpose counters.
    Gpc,
    /// Their rates.
    GpcRate,
    /// Faults of the protocol that clients are to blame for.
    GlitchCnt,
    /// Their rate.
    GlitchRate,
}

/// How a type of data is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    Number,
    Rate,
    Text,
}

use Form::{Number, Rate, Text};

/// Every type with its name, in the order of [`Data`].
const ALL: [(Data, &str, Form); 27] = [
    (Data::ServerId, "server_id", Number),
    (Data::Gpt0, "gpt0", Number),
    (Data::Gpc0, "gpc0", Number),
    (Data::Gpc0Rate, "gpc0_rate", Rate),
    (Data::ConnCnt, "conn_cnt", Number),
    (Data::ConnRate, "conn_rate", Rate),
    (Data::ConnCur, "conn_cur", Number),
    (Data::SessCnt, "sess_cnt", Number),
    (Data::SessRate, "sess_rate", Rate),
    (Data::HttpReqCnt, "http_req_cnt", Number),
    (Data::HttpReqRate, "http_req_rate", Rate),
    (Data::HttpErrCnt, "http_err_cnt", Number),
    (Data::HttpErrRate, "http_err_rate", Rate),
    (Data::BytesInCnt, "bytes_in_cnt", Number),
    (Data::BytesInRate, "bytes_in_rate", Rate),
    (Data::BytesOutCnt, "bytes_out_cnt", Number),
    (Data::BytesOutRate, "bytes_out_rate", Rate),
    (Data::Gpc1, "gpc1", Number),
    (Data::Gpc1Rate, "gpc1_rate", Rate),
    (Data::ServerKey, "server_key", Text),
    (Data::HttpFailCnt, "http_fail_cnt", Number),
    (Data::HttpFailRate, "http_fail_rate", Rate),
    (Data::Gpt, "gpt", Number),
    (Data::Gpc, "gpc", Number),
    (Data::GpcRate, "gpc_rate", Rate),
    (Data::GlitchCnt, "glitch_cnt", Number),
    (Data::GlitchRate, "glitch_rate", Rate),
];

impl Data {
    /// How many types there are.
    pub(crate) const COUNT: usize = ALL.len();

    /// Every type, in the order of `show table`.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(|(data, ..)| *data)
    }

    /// The type of a name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|(_, known, _)| *known == name)?;
        Some(found.0)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        ALL.get(self as usize).map_or("", |(_, name, _)| name)
    }

    pub(crate) fn form(self) -> Form {
        ALL.get(self as usize).map_or(Number, |(.., form)| *form)
    }
}

/// What is counted while an entry is tracked: most events have a total and a rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A connection came.
    Connection,
    /// It passed the rules of layer 4.
    Session,
    /// A request came.
    Request,
    /// A request was refused, invalid or answered with a status of 4xx.
    Error,
    /// A response was invalid or has a status of 5xx.
    Failure,
    /// Bytes came from the client.
    BytesIn,
    /// Bytes went to the client.
    BytesOut,
    /// The client broke a rule of its protocol in a way that may be passed over.
    Glitch,
}

impl Event {
    /// How many events there are.
    pub(crate) const COUNT: usize = 8;

    /// Total and rate of every event, in the order of [`Event`].
    pub(crate) const COUNTED: [[Data; 2]; Self::COUNT] = [
        [Data::ConnCnt, Data::ConnRate],
        [Data::SessCnt, Data::SessRate],
        [Data::HttpReqCnt, Data::HttpReqRate],
        [Data::HttpErrCnt, Data::HttpErrRate],
        [Data::HttpFailCnt, Data::HttpFailRate],
        [Data::BytesInCnt, Data::BytesInRate],
        [Data::BytesOutCnt, Data::BytesOutRate],
        [Data::GlitchCnt, Data::GlitchRate],
    ];
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_their_numbers_say() {
        for (at, data) in Data::all().enumerate() {
            assert_eq!(data as usize, at);
            assert_eq!(Data::named(data.name()), Some(data));
        }
        assert_eq!(Data::named("nothing"), None);
    }
}
