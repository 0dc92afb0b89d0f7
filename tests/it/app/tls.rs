//! The main listener over TLS, with a certificate that is renewed under it.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::{WIKI, household};
use crate::support::certificate::{Issued, issued, issued_until};
use crate::support::server::Server;

const HOST: &str = "auth.localhost";

fn put(directory: &Path, issued: &Issued) {
    for (name, text) in [("cert.pem", &issued.certificate), ("key.pem", &issued.key)] {
        let beside = directory.join(format!("{name}.new"));
        fs::write(&beside, text).expect("written");
        fs::set_permissions(&beside, fs::Permissions::from_mode(0o600)).expect("private");
        fs::rename(&beside, directory.join(name)).expect("renamed");
    }
}

fn stopped(issued: &Issued) -> Server {
    let mut server = Server::stopped("", &[]);
    let directory = server.path().join("tls");
    fs::create_dir(&directory).expect("a directory");
    put(&directory, issued);
    let file = |name: &str| directory.join(name).display().to_string();
    let tls = format!("server {{ tls cert={:?} key={:?}; ", file("cert.pem"), file("key.pem"));
    server.edit("home.kdl", &household(WIKI).replacen("server { ", &tls, 1));
    let directory = directory.display().to_string();
    server.allow(&["--read-from", &directory]);
    server
}

/// What a client that trusts this authority alone is answered.
fn ask(server: &Server, authority: &str) -> std::io::Result<String> {
    ask_at(server, authority, "/healthz", HOST)
}

fn ask_at(server: &Server, authority: &str, path: &str, host: &str) -> std::io::Result<String> {
    let mut roots = RootCertStore::empty();
    let trusted = CertificateDer::from_pem_slice(authority.as_bytes()).expect("a certificate");
    roots.add(trusted).expect("trusted");
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(HOST).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a connection");
    let mut stream = StreamOwned::new(connection, TcpStream::connect(("127.0.0.1", server.port))?);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn is_answered(server: &Server, authority: &str) -> bool {
    ask(server, authority).is_ok_and(|answer| answer.starts_with("HTTP/1.1 200"))
}

fn await_answer(server: &Server, authority: &str) {
    let until = Instant::now() + Duration::from_secs(10);
    while !is_answered(server, authority) {
        assert!(Instant::now() < until, "the certificate is not shown:\n{}", server.log());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_renewed_certificate_is_shown_without_a_restart_and_a_broken_one_never() {
    let (first, second) = (issued(HOST), issued(HOST));
    let mut server = stopped(&first);
    server.start_unasked();
    assert!(is_answered(&server, &first.authority));
    let refused = ask(&server, &second.authority).expect_err("another authority");
    assert!(refused.to_string().contains("invalid peer certificate"), "{refused}");

    let directory = server.path().join("tls");
    fs::write(directory.join("cert.pem"), &second.certificate).expect("written");
    let told = server.log_with("is not the key of");
    assert!(told.contains("tls/key.pem") && told.contains("tls/cert.pem"), "{told}");
    let degraded = server.status()["degraded"].to_string();
    assert!(degraded.contains("server tls"), "{degraded}");
    assert!(is_answered(&server, &first.authority), "the one before it is shown on");

    put(&directory, &second);
    await_answer(&server, &second.authority);
    assert!(!is_answered(&server, &first.authority));
    assert_eq!(server.events("certificate.taken-up").len(), 1);
    let until = Instant::now() + Duration::from_secs(10);
    while server.status()["degraded"] != serde_json::json!([]) {
        assert!(Instant::now() < until, "{}", server.status());
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

/// What no browser would take is shown all the same, and told.
#[test]
fn a_certificate_that_ran_out_or_is_for_another_host_is_told() {
    for (issued, told) in [
        (issued_until(HOST, 2020), "cert.pem ran out on 2020-01-01 00:00: renew it"),
        (issued("other.localhost"), "cert.pem is not for auth.localhost"),
    ] {
        let mut server = stopped(&issued);
        server.start_unasked();
        server.log_with(told);
        let until = Instant::now() + Duration::from_secs(10);
        while !server.status()["degraded"].to_string().contains(told) {
            assert!(Instant::now() < until, "{}", server.status());
            std::thread::park_timeout(Duration::from_millis(50));
        }
    }
}

#[test]
fn a_key_in_the_place_of_its_certificate_is_told_as_such() {
    let Issued { certificate, key, authority } = issued(HOST);
    let server = stopped(&Issued { certificate: key, key: certificate, authority });
    let done = server.command(&["serve"]);
    let said = String::from_utf8_lossy(&done.stderr);
    assert!(!done.status.success() && said.contains("exchange them"), "{said}");
}

/// RFC 6797: for our own host alone, and apps' hosts are not ours to speak for.
#[test]
fn browsers_are_told_to_come_back_over_tls() {
    let issued = issued(HOST);
    let mut server = stopped(&issued);
    server.start_unasked();
    for (path, host, told) in [
        ("/", HOST, true),
        ("/.well-known/openid-configuration", HOST, true),
        ("/", "wiki.localhost", false),
        ("/.doorward/auth/traefik", "127.0.0.1", false),
    ] {
        let answer = ask_at(&server, &issued.authority, path, host).expect("answered");
        let is_told = answer.to_lowercase().contains("strict-transport-security: max-age=31536000");
        assert_eq!(is_told, told, "{path} at {host}: {answer}");
    }
}

/// Whoever connects and says nothing, or something else, keeps nobody out and holds no stop up.
#[test]
fn plain_words_to_a_secure_listener_are_no_requests() {
    let issued = issued(HOST);
    let mut server = stopped(&issued);
    server.start_unasked();
    let silent = TcpStream::connect(("127.0.0.1", server.port)).expect("connected");
    let mut plain = TcpStream::connect(("127.0.0.1", server.port)).expect("connected");
    plain.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").expect("sent");
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP/"), "{answer:?}");
    assert!(is_answered(&server, &issued.authority));
    let began = Instant::now();
    server.stop();
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    drop(silent);
}

#[test]
fn a_certificate_that_cannot_be_used_stops_the_start_with_a_remedy() {
    let (one, other) = (issued(HOST), issued(HOST));
    let start = |server: &Server| {
        let done = server.command(&["serve"]);
        assert!(!done.status.success());
        String::from_utf8_lossy(&done.stderr).into_owned()
    };
    let server = stopped(&Issued { key: other.key.clone(), ..issued(HOST) });
    let said = start(&server);
    assert!(said.contains("is not the key of"), "{said}");
    let path = server.path().join("tls");

    put(&path, &one);
    fs::set_permissions(path.join("key.pem"), fs::Permissions::from_mode(0o644)).expect("public");
    let said = start(&server);
    assert!(said.contains("can be read by everybody: chmod o-rwx"), "{said}");

    put(&path, &Issued { key: "-----BEGIN NOTHING-----".into(), ..one });
    let said = start(&server);
    assert!(said.contains("holds no private key in PEM"), "{said}");

    put(&path, &Issued { certificate: other.key.clone(), ..other });
    let said = start(&server);
    assert!(said.contains("holds no certificate in PEM"), "{said}");

    fs::remove_file(path.join("cert.pem")).expect("removed");
    let said = start(&server);
    assert!(said.contains("tls/cert.pem") && said.contains("No such file"), "{said}");
}

#[test]
fn the_doctor_looks_at_the_certificate() {
    let issued = issued(HOST);
    let mut server = stopped(&issued);
    server.start_unasked();
    let asked = |server: &Server| {
        let done = server.command(&["doctor"]);
        String::from_utf8_lossy(&[done.stdout, done.stderr].concat()).into_owned()
    };
    let said = asked(&server);
    assert!(said.contains("is not accepted here"), "{said}");
    let authority = server.path().join("authority.pem");
    fs::write(&authority, &issued.authority).expect("written");
    server.tell("SSL_CERT_FILE", &authority.display().to_string());
    let said = asked(&server);
    assert!(said.contains(&format!("answers at 127.0.0.1:{}", server.port)), "{said}");
}
