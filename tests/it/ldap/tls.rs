//! LDAPS and StartTLS.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use super::*;
use crate::support::certificate::{Issued, issued};

const HOST: &str = "localhost";

struct Secure {
    directory: Directory,
    tls_port: u16,
    issued: Issued,
}

fn secure() -> Secure {
    let (issued, tls_port) = (issued(HOST), free_port());
    let folder = tempfile::tempdir().expect("a folder").keep();
    for (name, text) in [("cert.pem", &issued.certificate), ("key.pem", &issued.key)] {
        std::fs::write(folder.join(name), text).expect("written");
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(folder.join(name), private).expect("private");
    }
    let at = |name: &str| folder.join(name).display().to_string();
    let lines = format!(
        "listen-tls \"127.0.0.1:{tls_port}\"; tls cert={:?} key={:?}",
        at("cert.pem"),
        at("key.pem")
    );
    let mut directory = Directory::stopped(&lines, APP);
    directory.server.allow(&["--read-from", &folder.display().to_string()]);
    directory.server.start();
    directory.server.set_password("alice", PASSWORD);
    Secure { directory, tls_port, issued }
}

impl Secure {
    fn connect(&self, scheme: &str, port: u16, start_tls: bool) -> Result<LdapConn, LdapError> {
        let mut roots = RootCertStore::empty();
        let authority = CertificateDer::from_pem_slice(self.issued.authority.as_bytes());
        roots.add(authority.expect("a certificate")).expect("trusted");
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let settings = LdapConnSettings::new().set_config(Arc::new(config)).set_starttls(start_tls);
        LdapConn::with_settings(settings, &format!("{scheme}://{HOST}:{port}"))
    }
}

#[test]
fn a_connection_is_secure_from_the_first_byte_or_from_a_word_on() {
    let secure = secure();
    let port = secure.directory.port;
    let mut over_tls = secure.connect("ldaps", secure.tls_port, false).expect("connected");
    assert_eq!(over_tls.simple_bind(ALICE, PASSWORD).expect("an answer").rc, 0);
    let mut started = secure.connect("ldap", port, true).expect("connected");
    assert_eq!(started.simple_bind(ALICE, PASSWORD).expect("an answer").rc, 0);
    let (root, _) =
        search(&mut started, ("", Scope::Base, "(objectClass=*)"), &["supportedExtension"]);
    assert!(root[0].attrs["supportedExtension"].contains(&"1.3.6.1.4.1.1466.20037".to_owned()));
}

#[test]
fn without_a_certificate_start_tls_is_refused() {
    let directory = Directory::with("", APP);
    let mut connection = directory.connect();
    let (root, _) =
        search(&mut connection, ("", Scope::Base, "(objectClass=*)"), &["supportedExtension"]);
    assert!(!root[0].attrs["supportedExtension"].contains(&"1.3.6.1.4.1.1466.20037".to_owned()));
    let start = ldap3::exop::Exop { name: Some("1.3.6.1.4.1.1466.20037".to_owned()), val: None };
    assert_eq!(connection.extended(start).expect("an answer").1.rc, 52);
}
