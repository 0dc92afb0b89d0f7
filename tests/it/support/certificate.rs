//! Certificates of servers that tests run.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate for a name with its key, and the authority that issued it: all in PEM.
pub struct Issued {
    pub certificate: String,
    pub key: String,
    pub authority: String,
}

/// A certificate for a name, by an authority that is known to nobody else.
pub fn issued(name: &str) -> Issued {
    issued_until(name, 2100)
}

/// One that ends with the year before this one.
pub fn issued_until(name: &str, year: i32) -> Issued {
    let mut authority = CertificateParams::new(Vec::new()).expect("parameters");
    authority.distinguished_name.push(DnType::CommonName, format!("authority of {name}"));
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    let authority = CertifiedIssuer::self_signed(authority, key).expect("an authority");
    let own = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
    params.not_after = rcgen::date_time_ymd(year, 1, 1);
    let certificate = params.signed_by(&own, &authority).expect("a certificate");
    Issued { certificate: certificate.pem(), key: own.serialize_pem(), authority: authority.pem() }
}

/// A server for a name, and the authority that issued its certificate.
pub fn certificates(name: &str) -> (Arc<ServerConfig>, String) {
    let issued = issued(name);
    let certificate = CertificateDer::from_pem_slice(issued.certificate.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(issued.key.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate.expect("a certificate")], key)
        .expect("a configuration");
    (Arc::new(config), issued.authority)
}
