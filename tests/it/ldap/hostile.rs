//! Bytes of a hostile client.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::*;

fn answered(directory: &Directory, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", directory.port)).expect("connected");
    stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    answer
}

fn is_well(directory: &Directory) {
    let mut nobody = directory.connect();
    assert_eq!(search(&mut nobody, ("", Scope::Base, "(objectClass=*)"), &[]).1, 0);
}

#[test]
fn what_is_no_request_ends_the_connection_and_nothing_else() {
    let directory = Directory::with("", APP);
    // RFC 4511 §4.4.1: a notice of disconnection, whose name is this.
    let notice = b"1.3.6.1.4.1.1466.20036";
    let nested = [[0x30_u8, 0x82, 0x0f, 0xff].repeat(2000)].concat();
    let unbind_with_tail = [&[0x30, 0x05, 0x02, 0x01, 0x01, 0x42, 0x00][..], b"junk"].concat();
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..],
        &[0xff; 64],
        &nested,
        &vec![0x30; 200_000],
        &unbind_with_tail,
    ] {
        let answer = answered(&directory, bytes);
        let told = answer.is_empty() || answer.windows(notice.len()).any(|part| part == notice);
        assert!(told, "{:?}", String::from_utf8_lossy(&answer));
        is_well(&directory);
    }
}

/// What is sent in clear behind the word that starts TLS is not taken for said over TLS.
#[test]
fn nothing_is_smuggled_before_tls() {
    let directory = Directory::with("", APP);
    let log = directory.server.log();
    assert!(!log.contains("panicked"), "{log}");
    let start_tls = b"\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037";
    let answer = answered(&directory, start_tls);
    assert!(answer.windows(2).any(|part| part == [0x0a, 0x01]), "refused: {answer:?}");
}

/// A secret that cannot be read as a request is not told to the log.
#[test]
fn no_secret_reaches_the_log() {
    let directory = Directory::inhabited("", APP);
    directory.code(ALICE, "secret-in-a-bind-77");
    // The same bind with a length that is wrong.
    let mut broken =
        b"\x30\x80\x02\x01\x01\x60\x80\x02\x01\x03\x04\x00\x80\x13secret-in-a-bind-78".to_vec();
    broken.extend_from_slice(&[0xff; 40]);
    answered(&directory, &broken);
    let log = directory.server.log();
    assert!(!log.contains("secret-in-a-bind"), "{log}");
}

/// Writes, SASL and what else is not served have answers of their own.
#[test]
fn what_is_not_served_is_told() {
    let directory = Directory::inhabited("", APP);
    let mut searcher = directory.searcher();
    let refused = searcher.delete(ALICE).expect("an answer").rc;
    assert_eq!(refused, 53);
    let change =
        vec![ldap3::Mod::Replace("mail", std::collections::HashSet::from(["x@example.com"]))];
    assert_eq!(searcher.modify(ALICE, change).expect("an answer").rc, 53);
    assert_eq!(searcher.modifydn(ALICE, "uid=bob", true, None).expect("an answer").rc, 53);
    let entry = vec![("objectClass", std::collections::HashSet::from(["person"]))];
    assert_eq!(searcher.add("uid=x,ou=people,dc=example,dc=com", entry).expect("an answer").rc, 53);
    assert_eq!(searcher.sasl_external_bind().expect("an answer").rc, 7);
    let mut searcher = directory.searcher();
    let who = searcher.extended(ldap3::exop::WhoAmI).expect("an answer");
    assert_eq!(who.0.parse::<ldap3::exop::WhoAmIResp>().authzid, format!("dn:{NAS}"));
    assert!(searcher.compare(ALICE, "uid", "alice").expect("an answer").equal().expect("said"));
    assert!(!searcher.compare(ALICE, "uid", "bob").expect("an answer").equal().expect("said"));
    let control =
        ldap3::controls::RawControl { ctype: "1.2.3.4".to_owned(), crit: true, val: None };
    let found =
        searcher.with_controls(control).search(BASE, Scope::Base, "(objectClass=*)", vec!["1.1"]);
    assert_eq!(found.expect("an answer").1.rc, 12);
}

/// A cookie is for whoever got it, and for the same search.
#[test]
fn a_cookie_opens_no_other_search() {
    use ldap3::controls::{Control, ControlType, PagedResults, RawControl};
    let directory = Directory::inhabited("", APP);
    let page = |connection: &mut LdapConn, filter: &str, cookie: Vec<u8>| {
        let control: RawControl = PagedResults { size: 2, cookie }.into();
        let found =
            connection.with_controls(control).search(BASE, Scope::Subtree, filter, vec!["1.1"]);
        let result = found.expect("an answer").1;
        let next = result.ctrls.into_iter().find_map(|Control(kind, raw)| {
            matches!(kind, Some(ControlType::PagedResults))
                .then(|| raw.parse::<PagedResults>().cookie)
        });
        (result.rc, next.unwrap_or_default())
    };
    let mut searcher = directory.searcher();
    let (code, cookie) = page(&mut searcher, "(objectClass=*)", Vec::new());
    assert_eq!(code, 0);
    assert!(!cookie.is_empty());
    assert_eq!(
        page(&mut directory.searcher(), "(objectClass=*)", cookie.clone()).0,
        0,
        "another connection of theirs"
    );
    assert_eq!(page(&mut searcher, "(uid=*)", cookie.clone()).0, 53);
    let (_, mut alice) = directory.bind(ALICE, PASSWORD);
    assert_eq!(page(&mut alice, "(objectClass=*)", cookie.clone()).0, 53);
    let mut forged = cookie;
    forged[15] ^= 1;
    assert_eq!(page(&mut searcher, "(objectClass=*)", forged).0, 53);
}
