//! Expressions of versions after HAProxy 2.6, beside what the manual or an RFC says of them.

#![allow(clippy::expect_used, reason = "a test that cannot go on ends")]

mod support;

use isthmus_sample::{Kind, Names, Number, Sample, Side, Text, cast};
use support::{Table, compile};

fn shown(expression: &str, names: &mut Names, table: &Table) -> String {
    let compiled = compile(expression, names).expect(expression);
    match compiled
        .value(table)
        .and_then(|value| cast(value, Kind::Str))
    {
        Some(Sample::Str(text)) => String::from_utf8_lossy(&text).into_owned(),
        _ => "-".to_owned(),
    }
}

fn check(cases: &[(&str, &str)]) {
    let table = Table::default();
    for (expression, expected) in cases {
        let mut names = Names::default();
        assert_eq!(
            &shown(expression, &mut names, &table),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn forwarded_is_read_as_rfc_7239_writes_it() {
    check(&[
        ("str(\"for=127.0.0.1;proto=http\"),rfc7239_is_valid", "1"),
        ("str(\"For=_hidden;BY=unknown\"),rfc7239_is_valid", "1"),
        (
            "str(\"for=\\\"[2001:db8::1]:4711\\\"\"),rfc7239_is_valid",
            "1",
        ),
        ("str(\"proto=custom\"),rfc7239_is_valid", "0"),
        ("str(\"for=127.0.0.1;for=127.0.0.2\"),rfc7239_is_valid", "0"),
        ("str(\"for=127.0.0.1; proto=http\"),rfc7239_is_valid", "0"),
        ("str(\"for=127.0.0.1,for=127.0.0.2\"),rfc7239_is_valid", "0"),
        ("str(\"for=127.0.0.1;\"),rfc7239_is_valid", "0"),
        ("str(\"for=127.0.0\"),rfc7239_is_valid", "0"),
        ("str(\"for=[::1]\"),rfc7239_is_valid", "0"),
        ("str(\"other=x\"),rfc7239_is_valid", "0"),
        ("str(\"\"),rfc7239_is_valid", "0"),
        (
            "str(\"proto=https;host=\\\"haproxy.org:80\\\"\"),rfc7239_field(host)",
            "haproxy.org:80",
        ),
        (
            "str(\"for=\\\"127.0.0.1:9999\\\"\"),rfc7239_field(for)",
            "127.0.0.1:9999",
        ),
        ("str(\"for=127.0.0.1\"),rfc7239_field(by)", "-"),
        ("str(\"127.0.0.1:9999\"),rfc7239_n2nn", "127.0.0.1"),
        ("str(\"[ab:cd::ff]:9999\"),rfc7239_n2nn", "ab:cd::ff"),
        ("str(\"_name:_port\"),rfc7239_n2nn", "_name"),
        ("str(\"unknown\"),rfc7239_n2nn", "unknown"),
        ("str(\"host\"),rfc7239_n2nn", "-"),
        ("str(\"127.0.0.1:9999\"),rfc7239_n2np", "9999"),
        ("str(\"_name:_port\"),rfc7239_n2np", "_port"),
        ("str(\"127.0.0.1\"),rfc7239_n2np", "-"),
        ("str(\"127.0.0.1:99999\"),rfc7239_n2np", "-"),
        (
            "ipv6(ab:cd:ff:ff:ff:ff:ff:ff),rfc7239_nn",
            "[ab:cd:ff:ff:ff:ff:ff:ff]",
        ),
        ("ipv4(192.0.2.1),rfc7239_nn", "192.0.2.1"),
        ("str(test),rfc7239_nn", "_test"),
        ("str(),rfc7239_nn", "unknown"),
        ("str(\"a b\"),rfc7239_nn", "-"),
        ("str(_hidden),rfc7239_nn", "__hidden"),
        ("int(12),rfc7239_np", "12"),
        ("int(65536),rfc7239_np", "-"),
        ("int(-1),rfc7239_np", "-"),
        ("str(test),rfc7239_np", "_test"),
        ("str(),rfc7239_np", "-"),
        ("str(\"a:b\"),rfc7239_np", "-"),
    ]);
}

#[test]
fn dates_are_read_in_the_three_forms_of_http() {
    check(&[
        ("str(\"Sun, 06 Nov 1994 08:49:37 GMT\"),date", "784111777"),
        ("str(\"Sunday, 06-Nov-94 08:49:37 GMT\"),date", "784111777"),
        ("str(\"Sun Nov  6 08:49:37 1994\"),date", "784111777"),
        ("str(\"Thu, 29 Feb 2024 00:00:00 GMT\"),date", "1709164800"),
        (
            "str(\"Thu, 29 Feb 2024 00:00:00 GMT\"),date,http_date",
            "Thu, 29 Feb 2024 00:00:00 GMT",
        ),
        ("str(\"Wed, 29 Feb 2023 00:00:00 GMT\"),date", "-"),
        ("str(\"Sun, 06 Nov 1994 24:00:00 GMT\"),date", "-"),
        ("str(\"Sun, 06 Nov 1994 08:49:37 CET\"),date", "-"),
        ("str(\"Sun, 31 Apr 1994 08:49:37 GMT\"),date", "-"),
        ("str(\"06 Nov 1994\"),date", "-"),
        ("str(\"\"),date", "-"),
    ]);
}

/// A TCP SYN in IPv4 in Ethernet, and the same bytes behind a VLAN's tag.
const SYN: &str = "020000000001020000000002080045100034abcd40003f060000c0000201c0000202\
    9c4001bb000000070000000080c2faf000000000020405b40103030701010402";

#[test]
fn the_headers_of_a_saved_syn_are_read() {
    let plain = format!("bin({SYN})");
    let tagged = format!("bin({}8100a064{})", &SYN[..24], &SYN[24..]);
    for (converters, expected) in [
        ("eth.dst,hex", "020000000001"),
        ("eth.src,hex", "020000000002"),
        ("eth.proto", "2048"),
        ("eth.data,ip.ver", "4"),
        ("eth.data,ip.tos", "16"),
        // TOS 16; IPv4, DF, a TTL up to 64, CWR and ECE; 8 words, a scale of 7; the window; the
        // MSS; options 2, 3 and 4.
        ("eth.data,ip.fp,hex", "105388FAF005B407"),
        ("eth.data,ip.fp(1),hex", "105388FAF005B4073F"),
        (
            "eth.data,ip.fp(6),hex",
            "105388FAF005B407020103010104C0000201",
        ),
        ("eth.data,ip.fp(7),hex,length", "38"),
        ("eth.data,ip.df", "1"),
        ("eth.data,ip.ttl", "63"),
        ("eth.data,ip.proto", "6"),
        ("eth.data,ip.src", "192.0.2.1"),
        ("eth.data,ip.dst", "192.0.2.2"),
        ("eth.data,ip.hdr,hex,length", "40"),
        ("eth.data,ip.data,tcp.src", "40000"),
        ("eth.data,ip.data,tcp.dst", "443"),
        ("eth.data,ip.data,tcp.seq", "7"),
        ("eth.data,ip.data,tcp.flags", "194"),
        ("eth.data,ip.data,tcp.win", "64240"),
        ("eth.data,ip.data,tcp.options_list,hex", "020103010104"),
        ("eth.data,ip.data,tcp.options.mss", "1460"),
        ("eth.data,ip.data,tcp.options.wsopt", "1"),
        ("eth.data,ip.data,tcp.options.wscale", "7"),
        ("eth.data,ip.data,tcp.options.sack", "1"),
        ("eth.data,ip.data,tcp.options.tsopt", "0"),
        ("eth.data,ip.data,tcp.options.tsval", "0"),
    ] {
        check(&[(&format!("{plain},{converters}"), expected)]);
        check(&[(&format!("{tagged},{converters}"), expected)]);
    }
    check(&[
        (&format!("{plain},eth.vlan"), "-"),
        (&format!("{tagged},eth.vlan"), "100"),
        (&format!("{tagged},eth.hdr,hex,length"), "36"),
        (
            "bin(60a12345000406408000000000000000000000000000000100000000000000000000000000000002),ip.tos",
            "10",
        ),
        (
            "bin(60a12345000406408000000000000000000000000000000100000000000000000000000000000002),ip.dst",
            "::2",
        ),
        (
            "bin(60a12345000400408000000000000000000000000000000100000000000000000000000000000002060000000000000001bb),ip.proto",
            "6",
        ),
        (
            "bin(60a12345000400408000000000000000000000000000000100000000000000000000000000000002060000000000000001bb),ip.data,hex",
            "01BB",
        ),
        ("bin(45),ip.proto", "-"),
        ("bin(),ip.ver", "-"),
    ]);
}

#[test]
fn what_is_encrypted_can_be_decrypted_again() {
    const KEY: &str = "AAECAwQFBgcICQoLDA0ODw==";
    const NONCE: &str = "AAAAAAAAAAAAAAAA";
    const IV: &str = "AAAAAAAAAAAAAAAAAAAAAA==";
    let table = Table::default();
    let mut names = Names::default();
    // Made with `openssl enc -aes-128-cbc`.
    let hex = format!("str(hello),aes_cbc_enc(128,{IV},{KEY}),hex");
    assert_eq!(
        shown(&hex, &mut names, &table),
        "5D8749E2AF7531B2BF6661E9E5DAF012"
    );
    let both = format!("str(hello),aes_cbc_enc(128,{IV},{KEY}),aes_cbc_dec(128,{IV},{KEY})");
    assert_eq!(shown(&both, &mut names, &table), "hello");
    for aad in ["", ",YWFk"] {
        let both = format!(
            "str(hello),aes_gcm_enc(128,{NONCE},{KEY},txn.tag{aad}),aes_gcm_dec(128,{NONCE},{KEY},txn.tag{aad})"
        );
        assert_eq!(shown(&both, &mut names, &table), "hello");
    }
    let other = format!(
        "str(hello),aes_gcm_enc(128,{NONCE},{KEY},txn.tag,YWFk),aes_gcm_dec(128,{NONCE},{KEY},txn.tag)"
    );
    assert_eq!(shown(&other, &mut names, &table), "-");
    // Nonces of 96 bits alone: IV has 128.
    for nonce in ["AAAAAAAAAAA=", IV] {
        let other = format!("str(hello),aes_gcm_enc(128,{nonce},{KEY},txn.tag)");
        assert_eq!(shown(&other, &mut names, &table), "-", "{nonce}");
    }
    for wrong in [
        format!("str(x),aes_cbc_enc(129,{IV},{KEY})"),
        format!("str(x),aes_cbc_enc(128,{IV},{KEY},YWFk)"),
        format!("str(x),aes_gcm_enc(128,{NONCE},{KEY},YWFk)"),
        format!("str(x),aes_gcm_dec(128,!,{KEY},YWFk)"),
    ] {
        assert!(compile(&wrong, &mut names).is_err(), "{wrong}");
    }
}

#[test]
fn a_value_passes_when_its_condition_holds() {
    let mut table = Table::default();
    let mut names = Names::default();
    let mut check = |table: &Table, cases: &[(&str, &str)]| {
        for (expression, expected) in cases {
            assert_eq!(
                &shown(expression, &mut names, table),
                expected,
                "{expression}"
            );
        }
    };
    let quiet = [
        ("int(7),when(normal)", "7"),
        ("int(7),when(error)", "-"),
        ("int(7),when(!error)", "7"),
        ("int(7),when(forwarded)", "-"),
        ("int(7),when(stopping)", "-"),
    ];
    check(&table, &quiet);
    table.texts.insert(Text::TerminationState, b"sH".to_vec());
    table.numbers.insert(Number::TimeConnect, 0);
    table.numbers.insert(Number::Stopping, 1);
    let failed = [
        ("int(7),when(normal)", "-"),
        ("int(7),when(error)", "7"),
        ("int(7),when(forwarded)", "7"),
        ("int(7),when(!processed)", "-"),
        ("int(7),when(stopping)", "7"),
    ];
    check(&table, &failed);
    assert!(compile("int(7),when(never)", &mut Names::default()).is_err());
    assert!(compile("int(7),when(acl,none)", &mut Names::default()).is_err());
}

#[test]
fn what_the_server_says_hello_with_is_looked_at_too() {
    let hello = [22, 3, 3, 0, 6, 2, 0, 0, 2, 3, 3];
    let table = Table {
        request: Some((b"GET".to_vec(), false)),
        response: Some((hello.to_vec(), true)),
        side: Some(Side::Response),
        ..Table::default()
    };
    let mut names = Names::default();
    assert_eq!(shown("res.ssl_hello_type", &mut names, &table), "2");
    assert_eq!(shown("rep_ssl_hello_type", &mut names, &table), "2");
    assert_eq!(shown("req.ssl_hello_type", &mut names, &table), "-");
}

#[test]
fn control_characters_are_found() {
    check(&[
        ("str(plain),has_ctl", "0"),
        ("str(),has_ctl", "0"),
        ("bin(c3a9),has_ctl", "0"),
        ("bin(7e20),has_ctl", "0"),
        ("bin(61000a),has_ctl", "1"),
        ("bin(1f),has_ctl", "1"),
        ("bin(09),has_ctl", "1"),
        ("bin(7f),has_ctl", "1"),
    ]);
    assert!(compile("str(a),has_ctl(b)", &mut Names::default()).is_err());
}

/// The examples are the manual's.
#[test]
fn variables_are_written_as_their_types_ask() {
    let mut names = Names::default();
    let table = Table::default();
    for (name, value) in [
        ("txn.name", Sample::text(b"John \"Doe\"")),
        ("txn.data", Sample::Bin(b"Hello"[..].into())),
        ("txn.count", Sample::Int(-42)),
        ("txn.active", Sample::Bool(true)),
        (
            "sess.client",
            Sample::from(std::net::IpAddr::from([192, 168, 1, 1])),
        ),
        ("proc.odd", Sample::text(b"a\\b\r\n\x08\0\t")),
        ("req.user", Sample::text(b"")),
    ] {
        let variable = names.variable(name.as_bytes()).expect(name);
        table.set(variable, value);
    }
    let table = Table {
        names: names.clone(),
        ..table
    };
    let txn = "txn.name=\"John \\\"Doe\\\"\", txn.data=x48656c6c6f, txn.count=-42, txn.active=true";
    let odd = "proc.odd=\"a\\\\b\\r\\n\\b\\0\t\"";
    let all = format!("sess.client=192.168.1.1, {txn}, req.user=\"\", {odd}");
    let cases = [
        ("dump_all_vars(txn)", txn),
        ("dump_all_vars(proc)", odd),
        ("dump_all_vars", &all),
        ("dump_all_vars()", &all),
        (
            "dump_all_vars(,c,;)",
            "sess.client=192.168.1.1;txn.count=-42",
        ),
        ("dump_all_vars(txn,count)", "txn.count=-42"),
        ("dump_all_vars(txn,none)", ""),
        ("dump_all_vars(txn,a,', ')", "txn.active=true"),
        ("dump_all_vars(res)", ""),
    ];
    for (expression, expected) in cases {
        let found = shown(expression, &mut names, &table);
        assert_eq!(found, expected, "{expression}");
    }
    assert!(compile("dump_all_vars(check)", &mut names).is_err());
}

#[test]
fn variables_that_do_not_fit_are_not_written_at_all() {
    let mut names = Names::default();
    let table = Table::default();
    for name in ["txn.a", "txn.b"] {
        let variable = names.variable(name.as_bytes()).expect(name);
        table.set(variable, Sample::owned_text(vec![b'x'; 9000]));
    }
    let table = Table {
        names: names.clone(),
        ..table
    };
    assert_eq!(shown("dump_all_vars(txn)", &mut names, &table), "-");
    let one = shown("dump_all_vars(txn,a)", &mut names, &table);
    assert_eq!(one.len(), "txn.a=\"\"".len() + 9000);
}
