//! Headers of version 1, which are lines.

use isthmus_proto::proxy::{Addresses, Command, Error, Transport, decode};

use crate::{first_refusal, whole};

#[test]
fn malformed_lines_are_refused_where_they_show() {
    let rows: &[(&str, usize, Error)] = &[
        ("GET / HTTP/1.1\r\n", 1, Error::NotProxy),
        ("proxy TCP4", 1, Error::NotProxy),
        ("POST / HTTP/1.1\r\n", 2, Error::NotProxy),
        ("PROXX", 5, Error::NotProxy),
        ("PROXY\tTCP4", 6, Error::NotProxy),
        ("PROXY tcp4 ", 7, Error::UnknownProtocol),
        ("PROXY  TCP4 ", 7, Error::UnknownProtocol),
        ("PROXY TCP5 ", 10, Error::UnknownProtocol),
        ("PROXY TCP45 ", 11, Error::UnknownProtocol),
        ("PROXY UDP4 ", 8, Error::UnknownProtocol),
        ("PROXY UNKNOWNx\r\n", 14, Error::UnknownProtocol),
        ("PROXY UNKNOWN\n", 14, Error::UnknownProtocol),
        ("PROXY UNKNOWN\rx", 15, Error::BadLine),
        ("PROXY UNKNOWN a\nb\r\n", 16, Error::BadLine),
        ("PROXY TCP4  1.1.1.1 ", 12, Error::BadLine),
        ("PROXY TCP4 1.1.1.x ", 18, Error::BadAddress),
        ("PROXY TCP4 6.6.6.666 2", 21, Error::BadAddress),
        ("PROXY TCP4 1.1.1 2", 17, Error::BadAddress),
        ("PROXY TCP4 06.6.6.6 2", 20, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1.1.1.1.1.1", 27, Error::BadAddress),
        ("PROXY TCP4 ::1 ::1 1 2\r\n", 12, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1 2.2.2.2\r\n", 27, Error::BadLine),
        ("PROXY TCP4 1.1.1.1\n2.2.2.2 1 2\r\n", 19, Error::BadLine),
        ("PROXY TCP4 1.1.1.1\t2.2.2.2 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 99999 2\r\n", 33, Error::BadPort),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 000001 2\r\n",
            33,
            Error::BadPort,
        ),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n", 30, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 +1 2\r\n", 28, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 -1 2\r\n", 28, Error::BadPort),
        ("PROXY TCP4 1.1.1.1 2.2.2.2  1 2\r\n", 28, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1\r\n", 29, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 \r\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n", 31, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\r\n", 32, Error::BadLine),
        ("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n", 35, Error::BadPort),
        ("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 1::2::3 ::1 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 12345::1 ::1 1 2\r\n", 20, Error::BadAddress),
        (
            "PROXY TCP6 1:2:3:4:5:6:7 ::1 1 2\r\n",
            25,
            Error::BadAddress,
        ),
        ("PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", 19, Error::BadAddress),
        ("PROXY TCP6 [::1] ::1 1 2\r\n", 12, Error::BadAddress),
    ];
    for &(line, at, error) in rows {
        assert_eq!(first_refusal(line.as_bytes()), (at, error), "{line:?}");
        assert_eq!(decode(line.as_bytes()), Err(error), "{line:?}");
    }
}

#[test]
fn a_line_may_have_107_bytes_and_no_more() {
    let longest = format!("PROXY UNKNOWN {}\r\n", "x".repeat(91));
    assert_eq!(whole(longest.as_bytes()).len, 107);
    let longer = format!("PROXY UNKNOWN {}\r\n", "x".repeat(92));
    assert_eq!(first_refusal(longer.as_bytes()), (107, Error::TooLong));
}

#[test]
fn odd_but_valid_lines_are_accepted() {
    let rows = [
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN \r\n", None),
        ("PROXY UNKNOWN ffff::1 \u{e9} 65535 0\r\n", None),
        (
            "PROXY TCP4 1.1.1.1 2.2.2.2 0 0\r\n",
            Some(("1.1.1.1:0", "2.2.2.2:0")),
        ),
        (
            "PROXY TCP6 :: ABCD::0001 65535 1\r\n",
            Some(("[::]:65535", "[abcd::1]:1")),
        ),
        (
            "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
            Some(("255.255.255.255:65535", "255.255.255.255:65535")),
        ),
        (
            "PROXY TCP6 ::ffff:6.6.6.6 1:2:3:4:5:6:1.2.3.4 1 2\r\n",
            Some(("[::ffff:6.6.6.6]:1", "[1:2:3:4:5:6:102:304]:2")),
        ),
    ];
    for (line, ends) in rows {
        let payload = [line.as_bytes(), b"PROXY payload\r\n"].concat();
        let header = whole(&payload);
        assert_eq!(header.len, line.len(), "{line:?}");
        assert_eq!(header.command, Command::Proxy, "{line:?}");
        let expected = ends.map(|(src, dst)| Addresses::Inet {
            src: src.parse().unwrap(),
            dst: dst.parse().unwrap(),
            transport: Transport::Stream,
        });
        assert_eq!(header.addresses, expected, "{line:?}");
    }
}
