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

/// What costs nobody anything is not told each time: else a stranger fills the log, and drives out of it what counts.
#[test]
fn worthless_secrets_do_not_fill_the_log() {
    let directory = Directory::inhabited("", APP);
    let mut connection = directory.connect();
    for _ in 0..200 {
        assert_eq!(connection.simple_bind(ALICE, "dwp_x").expect("an answer").rc, 49);
    }
    assert_eq!(directory.code("uid=root,ou=people,dc=example,dc=com", PASSWORD), 50);
    for _ in 0..50 {
        directory.code("uid=root,ou=people,dc=example,dc=com", PASSWORD);
    }
    let told = |kind: &str| directory.server.events(kind).len();
    wait_until("the event", || told("token.refused") > 0 && told("access.denied") > 0);
    assert_eq!((told("token.refused"), told("access.denied")), (1, 1));
}

/// `security.md` 17: whoever guesses at an app's login form shuts nobody out of it but whom they guess at.
#[test]
fn guesses_by_way_of_an_app_do_not_shut_its_people_out() {
    let directory = Directory::inhabited("", APP);
    let _ = directory.searcher();
    for n in 0..60 {
        let nobody = format!("uid=nobody{n},ou=people,dc=example,dc=com");
        assert_eq!(directory.code(&nobody, "wrong-wrong-wrong"), 49);
    }
    assert_eq!(directory.code(ALICE, PASSWORD), 0);
    assert_eq!(directory.code(ALICE, &directory.app_password("alice", "nas")), 0);
    // A program with an old token shuts out itself alone.
    for _ in 0..60 {
        directory.code("cn=idle,ou=services,dc=example,dc=com", "an-old-token");
    }
    assert_eq!(directory.code(NAS, &directory.token_of("nas")), 0);
    assert_eq!(directory.code(ALICE, PASSWORD), 0);
}

/// A filter that would look at everything over and over is cut off.
#[test]
fn a_filter_looks_at_so_much_and_no_more() {
    let people: String =
        (0..400).map(|n| format!("user p{n:03} \"Person {n}\" {{ in users }}\n")).collect();
    let directory = Directory::with("", &format!("{APP}\n{people}"));
    let mut searcher = directory.searcher();
    let parts = |name: &str| (0..500).map(|n| format!("({name}=*{n}x*)")).collect::<String>();
    let began = Instant::now();
    let filter = format!("(|{})", parts("member"));
    let (entries, code) = search(&mut searcher, (BASE, Scope::Subtree, &filter), &["1.1"]);
    assert_eq!((entries.len(), code), (0, 0), "names have no parts");
    let everything = format!("(|{})", parts("memberUid"));
    let (_, code) = search(&mut searcher, (BASE, Scope::Subtree, &everything), &["1.1"]);
    assert!(code == 0 || code == 11, "{code}");
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    is_well(&directory);
}

/// At the bound of connections a listener can still be closed, and the server stopped.
#[test]
fn a_full_listener_is_closed_all_the_same() {
    let mut directory = Directory::stopped("", APP);
    directory.server.start_with_open_files(256);
    let mut held = Vec::new();
    for _ in 0..100 {
        held.extend(TcpStream::connect(("127.0.0.1", directory.port)));
    }
    let began = Instant::now();
    directory.server.stop();
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    drop(held);
}
