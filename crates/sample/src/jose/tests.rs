//! Tokens that others made: RFC 7516's own, and one of jwcrypto for each pair of algorithms.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::HashMap;

use super::*;
use crate::jose::agreement::concat_kdf;

struct Recorded {
    keys: HashMap<&'static str, Key>,
    /// Algorithms, a key's name, the token, what it holds.
    tokens: Vec<[&'static str; 4]>,
}

fn recorded() -> Recorded {
    let mut found = Recorded {
        keys: HashMap::new(),
        tokens: Vec::new(),
    };
    for line in include_str!("../../tests/data/tokens.tsv").lines() {
        match *line.split('\t').collect::<Vec<_>>() {
            ["key", name, text] => {
                let key = Key::from_jwk(text.as_bytes()).unwrap_or_else(|| panic!("{name}"));
                found.keys.insert(name, key);
            }
            ["token", algorithms, key, token, plain] => {
                found.tokens.push([algorithms, key, token, plain]);
            }
            _ => panic!("{line}"),
        }
    }
    found
}

fn everything() -> Allowed {
    Allowed::of(&["ALL".into()], &["ALL".into()]).unwrap()
}

/// `text` with the character at a place replaced by another of the alphabet.
fn changed(text: &str, at: usize) -> String {
    let other = if text.as_bytes()[at] == b'A' {
        "Q"
    } else {
        "A"
    };
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

#[test]
fn every_pair_of_algorithms_is_decrypted() {
    let recorded = recorded();
    assert_eq!(recorded.tokens.len(), 3 + 6 * (10 + 4 * 3));
    for [algorithms, key, token, plain] in &recorded.tokens {
        let found = decrypt(token.as_bytes(), &recorded.keys[key], everything());
        let found = found.map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(found.as_deref(), Some(*plain), "{algorithms} {key}");
    }
}

#[test]
fn a_token_that_was_changed_anywhere_is_not_decrypted() {
    let recorded = recorded();
    let mut tried = 0;
    for [algorithms, key, token, _] in &recorded.tokens {
        let parts = token.split('.').scan(0, |at, part| {
            let begin = *at;
            *at += part.len() + 1;
            Some((begin, part.len()))
        });
        // The first character of each part; the last ones may hold bits that are no one's.
        for (begin, _) in parts.filter(|(_, length)| *length > 0) {
            let token = changed(token, begin);
            let found = decrypt(token.as_bytes(), &recorded.keys[key], everything());
            assert_eq!(found, None, "{algorithms} {key} at {begin}");
            tried += 1;
        }
    }
    assert!(tried > 4 * recorded.tokens.len());
}

#[test]
fn a_key_of_another_kind_or_size_decrypts_nothing() {
    let recorded = recorded();
    for [algorithms, key, token, _] in &recorded.tokens {
        for (name, other) in recorded.keys.iter().filter(|(name, _)| *name != key) {
            let found = decrypt(token.as_bytes(), other, everything());
            assert_eq!(found, None, "{algorithms}: {name} in place of {key}");
        }
    }
}

#[test]
fn rsa1_5_is_allowed_where_the_configuration_says_so() {
    let recorded = recorded();
    let [_, key, token, plain] = recorded.tokens[1];
    let key = &recorded.keys[key];
    assert_eq!(decrypt(token.as_bytes(), key, Allowed::default()), None);
    for list in [&["ALL"][..], &["RSA1_5"], &["ALL", "!dir"]] {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let allowed = Allowed::of(&list, &[]).unwrap();
        let found = decrypt(token.as_bytes(), key, allowed);
        assert_eq!(found.as_deref(), Some(plain.as_bytes()));
    }
    for list in [&["RSA-OAEP"][..], &["ALL", "!RSA1_5"]] {
        let list: Vec<String> = list.iter().map(ToString::to_string).collect();
        let allowed = Allowed::of(&list, &[]).unwrap();
        assert_eq!(decrypt(token.as_bytes(), key, allowed), None);
    }
    assert!(Allowed::of(&["RSA2_0".into()], &[]).is_err());
    let gcm = Allowed::of(&["ALL".into()], &["A128GCM".into()]).unwrap();
    assert_eq!(decrypt(token.as_bytes(), key, gcm), None);
}

/// RFC 3218: a key that cannot be read takes the same way as one that can, up to the content's tag.
#[test]
fn padding_of_rsa1_5_that_is_wrong_gives_a_random_key_and_no_error() {
    let recorded = recorded();
    let Key::Rsa(rsa) = &recorded.keys["rfc2"] else {
        panic!("no key of RSA");
    };
    let wrong = vec![7; 256];
    let first = rsa.decrypt(algorithm::Padding::Pkcs1, &wrong, 32).unwrap();
    let second = rsa.decrypt(algorithm::Padding::Pkcs1, &wrong, 32).unwrap();
    assert_eq!((first.len(), second.len()), (32, 32));
    assert_ne!(first, second);
    // So is one of another length, and one that RSA cannot even take.
    let token = Token::read(recorded.tokens[1][2].as_bytes()).unwrap();
    let longer = rsa.decrypt(algorithm::Padding::Pkcs1, &token.encrypted_key, 64);
    assert_eq!(longer.unwrap().len(), 64);
    assert_eq!(
        rsa.decrypt(algorithm::Padding::Pkcs1, b"x", 16)
            .map(|k| k.len()),
        Some(16)
    );
}

/// RFC 7518, appendix C.
#[test]
fn two_sides_come_to_the_key_of_rfc_7518() {
    let secret = [
        158, 86, 217, 29, 129, 113, 53, 211, 114, 131, 66, 131, 191, 132, 38, 156, 251, 49, 110,
        163, 218, 128, 106, 72, 246, 218, 167, 121, 140, 254, 144, 196,
    ];
    let made = concat_kdf(&secret, [b"A128GCM", b"Alice", b"Bob"], 16).unwrap();
    let bob = r#"{"kty":"EC","crv":"P-256","d":"VEmDZpDXXK8p8N0Cndsxs924q6nS1RXFASRl6BfUqdw"}"#;
    assert_eq!(base64_url_decoded(b"VqqN6vgjbSBcIijNcacQGg").unwrap(), made);
    let header = r#"{"alg":"ECDH-ES","enc":"A128GCM","apu":"QWxpY2U","apv":"Qm9i","epk":{"kty":"EC",
        "crv":"P-256","x":"gI0GAILBdu7T53akrFmMyGcsF3n5dO7MmwNBHKW5SV0",
        "y":"SLW_xSffzlPWrHEVI30DHM_4egVwt3NQqeUD7nMFpps"}}"#;
    let Some(Key::Curve(own)) = Key::from_jwk(bob.as_bytes()) else {
        panic!("no key on a curve");
    };
    let token = Token {
        header: serde_json::from_str(header).unwrap(),
        protected: b"",
        encrypted_key: Vec::new(),
        iv: Vec::new(),
        content: Vec::new(),
        tag: Vec::new(),
    };
    assert_eq!(own.derive(&token, "A128GCM", 16), Some(made));
}

#[test]
fn what_is_no_token_is_not_decrypted() {
    let recorded = recorded();
    let [_, key, token, _] = recorded.tokens[2];
    let key = &recorded.keys[key];
    let (_, rest) = token.split_once('.').unwrap();
    let with = |header: &str| {
        let header = crate::convert::base64_url_encoded(header.as_bytes());
        [&header[..], b".", rest.as_bytes()].concat()
    };
    let mut wrong: Vec<Vec<u8>> = [
        "",
        ".",
        "....",
        "a.b.c",
        &format!("{token}."),
        &format!("{token}="),
        &token[1..],
    ]
    .map(|text| text.as_bytes().to_vec())
    .into();
    wrong.extend(
        [
            "",
            "{}",
            "[]",
            "{",
            r#"{"alg":"none","enc":"A128CBC-HS256"}"#,
            r#"{"alg":"A128KW","enc":"none"}"#,
            r#"{"alg":"A128GCMKW","enc":"A128CBC-HS256","iv":"AAAA","tag":"AAAA"}"#,
            r#"{"alg":"dir","enc":"A128CBC-HS256"}"#,
        ]
        .map(with),
    );
    for token in wrong {
        let shown = String::from_utf8_lossy(&token).into_owned();
        assert_eq!(decrypt(&token, key, everything()), None, "{shown}");
    }
}

/// By the header alone: another header than the sender's fails by the tag in any case.
#[test]
fn a_header_that_asks_for_more_or_says_something_twice_is_none() {
    let is_read = |more: &str| {
        let header = format!(r#"{{"alg":"dir","enc":"A128GCM"{more}}}"#);
        let header = crate::convert::base64_url_encoded(header.as_bytes());
        Token::read(&[&header[..], b"..AAAA.AAAA.AAAA"].concat()).is_some()
    };
    for (more, expected) in [
        ("", true),
        (r#","typ":"JWT","exp":1"#, true),
        (r#","apu":null"#, true),
        (r#","zip":"DEF""#, false),
        (r#","zip":null"#, false),
        (r#","crit":["exp"],"exp":1"#, false),
        (r#","crit":[]"#, false),
        (r#","crit":null"#, false),
        (r#","alg":"dir""#, false),
        (r#","enc":"A128GCM""#, false),
        // What nobody looks at may stand twice.
        (r#","typ":"JWT","typ":"JWT""#, true),
    ] {
        assert_eq!(is_read(more), expected, "{more}");
    }
}

#[test]
fn what_is_no_key_is_refused() {
    for text in [
        "",
        "{}",
        r#"{"kty":"oct"}"#,
        r#"{"kty":"oct","k":""}"#,
        r#"{"kty":"oct","k":"!"}"#,
        r#"{"kty":"oct","k":"AAAA","k":"AAAA"}"#,
        r#"{"kty":"OKP","crv":"X25519","d":"AAAA"}"#,
        r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#,
        r#"{"kty":"EC","crv":"P-256","d":"AAAA"}"#,
        r#"{"kty":"EC","crv":"P-999","d":"AAAA"}"#,
        r#"{"kty":"RSA","n":"AAAA","e":"AQAB"}"#,
        r#"{"kty":"RSA","n":"AAAA","e":"AQAB","d":"AQ","p":"AQ","q":"AQ","dp":"AQ","dq":"AQ","qi":"AQ"}"#,
    ] {
        assert!(Key::from_jwk(text.as_bytes()).is_none(), "{text}");
    }
    for text in ["", "=", "====", "a", "a!bc"] {
        assert!(Key::from_secret(text.as_bytes()).is_none(), "{text}");
    }
    for text in ["_-8", "/+8", "_-8=", "/+8=\n"] {
        let key = Key::from_secret(text.as_bytes());
        let Some(Key::Symmetric(bytes)) = key else {
            panic!("{text}");
        };
        assert_eq!(*bytes, [0xff, 0xef], "{text}");
    }
    assert_eq!(
        format!("{:?}", Key::from_secret(b"_-8").unwrap()),
        "(secret)"
    );
}
