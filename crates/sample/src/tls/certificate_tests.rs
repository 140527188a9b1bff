//! Certificates made for the test, told of as OpenSSL tells of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, DnValue, IsCa,
    KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519, SanType, SerialNumber,
    date_time_ymd,
};

use super::super::{Certificate, without_grease};

/// A self-signed certificate with these attributes.
fn made(attributes: &[(DnType, DnValue)], change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    for (kind, value) in attributes {
        params.distinguished_name.push(kind.clone(), value.clone());
    }
    params.not_before = date_time_ymd(2024, 2, 3);
    params.not_after = date_time_ymd(2061, 4, 5);
    params.serial_number = Some(SerialNumber::from_slice(&[0x8a, 0x01, 0x02]));
    change(&mut params);
    params.self_signed(&key).unwrap().der().to_vec()
}

fn text(value: &str) -> DnValue {
    DnValue::Utf8String(value.into())
}

#[test]
fn a_certificate_tells_of_itself() {
    let der = made(&[(DnType::CommonName, text("a.example"))], |_| {});
    let read = Certificate::read(&der).unwrap();
    assert_eq!((read.version, read.serial), (3, &[0x8a, 1, 2][..]));
    assert_eq!(read.not_before(), b"240203000000Z");
    assert_eq!(read.not_after(), b"610405000000Z");
    assert_eq!(read.signature_algorithm(), Some("ecdsa-with-SHA256"));
    assert_eq!(read.key_algorithm(), Some("id-ecPublicKey"));
    assert_eq!(read.key_description().as_deref(), Some("EC256"));
    assert_eq!(read.subject().one_line(), b"/CN=a.example");
    assert_eq!(read.issuer().one_line(), b"/CN=a.example");
    assert!(read.is_self_issued());
    assert_eq!(read.alternative_names(), None);
}

#[test]
fn keys_of_other_kinds_are_told_by_kind_and_size() {
    for (algorithm, name, description) in [
        (&PKCS_ECDSA_P384_SHA384, "id-ecPublicKey", "EC384"),
        (&PKCS_ED25519, "ED25519", "ED25519"),
    ] {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let made = CertificateParams::default().self_signed(&key).unwrap();
        let read = Certificate::read(made.der()).unwrap();
        assert_eq!(read.key_algorithm(), Some(name));
        assert_eq!(read.key_description().as_deref(), Some(description));
    }
}

#[test]
fn a_name_is_written_in_one_line_or_as_ldap_does() {
    let der = made(
        &[
            (
                DnType::CountryName,
                DnValue::PrintableString("DE".try_into().unwrap()),
            ),
            (
                DnType::OrganizationName,
                text(" M\u{fc}ller, \"S\" + Co; <x>\\ "),
            ),
            (
                DnType::OrganizationalUnitName,
                DnValue::BmpString("\u{e9}".try_into().unwrap()),
            ),
            (DnType::CustomDnType(vec![1, 2, 3, 4]), text("odd")),
            (DnType::CommonName, text("#1")),
        ],
        |_| {},
    );
    let name = Certificate::read(&der).unwrap().subject();
    assert_eq!(
        name.rfc2253(),
        b"CN=\\#1,1.2.3.4=#0C036F6464,OU=\\C3\\A9,O=\\ M\\C3\\BCller\\, \\\"S\\\" \\+ Co\\; \\<x\\>\\\\\\ ,C=DE"
    );
    assert!(
        name.one_line()
            .starts_with("/C=DE/O= M\u{fc}ller, \"S\" + Co; <x>\\ /OU=".as_bytes())
    );
    assert_eq!(name.entry(b"c", 1), Some(&b"DE"[..]));
    assert_eq!(name.entry(b"1.2.3.4", 1), Some(&b"odd"[..]));
    assert_eq!(name.entry(b"L", 1), None);
}

#[test]
fn entries_are_counted_from_either_end() {
    // rcgen keeps one attribute of each kind: the units stand in an extension's place by hand.
    let unit = |text: &[u8]| {
        let value = [&[0x0c, text.len() as u8], text].concat();
        let kind = [&[0x06, 3, 0x55, 4, 11][..], &value].concat();
        let pair = [&[0x30, kind.len() as u8], &kind[..]].concat();
        [&[0x31, pair.len() as u8], &pair[..]].concat()
    };
    let content = [unit(b"one"), unit(b"two"), unit(b"three")].concat();
    let name = super::Name::new(isthmus_proto::der::Value {
        tag: isthmus_proto::der::tag::SEQUENCE,
        content: &content,
        whole: &content,
    });
    for (occurrence, expected) in [
        (0, None),
        (1, Some("one")),
        (2, Some("two")),
        (3, Some("three")),
        (4, None),
        (-1, Some("three")),
        (-3, Some("one")),
        (-4, None),
        (i64::MIN, None),
    ] {
        let found = name.entry(b"OU", occurrence);
        assert_eq!(found, expected.map(str::as_bytes), "{occurrence}");
    }
}

#[test]
fn alternative_names_are_listed_with_their_kinds() {
    let der = made(&[], |params| {
        params.subject_alt_names = vec![
            SanType::Rfc822Name("a@b.example".try_into().unwrap()),
            SanType::DnsName("b.example".try_into().unwrap()),
            SanType::URI("spiffe://x/y".try_into().unwrap()),
            SanType::IpAddress("192.0.2.1".parse().unwrap()),
            SanType::IpAddress("2001:db8::1".parse().unwrap()),
        ];
    });
    let read = Certificate::read(&der).unwrap();
    assert_eq!(
        String::from_utf8(read.alternative_names().unwrap()).unwrap(),
        "email:a@b.example, DNS:b.example, URI:spiffe://x/y, IP Address:192.0.2.1, \
         IP Address:2001:DB8:0:0:0:0:0:1"
    );
}

#[test]
fn reading_what_is_cut_or_changed_ends_without_a_panic() {
    let der = made(&[(DnType::CommonName, text("x"))], |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.subject_alt_names = vec![SanType::DnsName("b.example".try_into().unwrap())];
        params
            .custom_extensions
            .push(CustomExtension::from_oid_content(&[1, 2, 3], vec![5, 0]));
    });
    let tell = |bytes: &[u8]| {
        let Some(read) = Certificate::read(bytes) else {
            return;
        };
        let _ = (
            read.alternative_names(),
            read.key_description(),
            read.key_algorithm(),
        );
        let _ = (
            read.subject().rfc2253(),
            read.issuer().one_line(),
            read.not_after(),
        );
        let _ = read.subject().entry(b"CN", -1);
    };
    for at in 0..der.len() {
        tell(&der[..at]);
        for bit in [0x01, 0x80] {
            let mut changed = der.clone();
            changed[at] ^= bit;
            tell(&changed);
        }
    }
    assert_eq!(without_grease(&[]), Vec::<u8>::new());
}

#[test]
fn policies_stand_between_commas() {
    // certificatePolicies: 2.23.140.1.2.1, and 1.3.6.1.4.1.44947.1.1.1 with a qualifier of nothing.
    let policies = [
        0x30, 0x1a, 0x30, 0x08, 0x06, 0x06, 0x67, 0x81, 0x0c, 0x01, 0x02, 0x01, 0x30, 0x0e, 0x06,
        0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0xdf, 0x13, 0x01, 0x01, 0x30, 0x00,
    ];
    let der = made(&[], |params| {
        let extension = CustomExtension::from_oid_content(&[2, 5, 29, 32], policies.to_vec());
        params.custom_extensions.push(extension);
    });
    let read = Certificate::read(&der).unwrap();
    let found = String::from_utf8(read.policies().unwrap()).unwrap();
    assert_eq!(found, "2.23.140.1.2.1,1.3.6.1.4.1.44947.1.1");
    let der = made(&[], |_| {});
    assert_eq!(Certificate::read(&der).unwrap().policies(), None);
}
