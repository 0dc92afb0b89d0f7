//! Where mail is handed in, with everything that is needed for it.

use std::sync::Arc;

use lettre::message::Mailbox;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::model::smtp_server::SmtpServer;
use crate::secret::Secret;

/// A mail server and our standing with it.
#[derive(Clone, Debug)]
pub struct Route {
    pub server: SmtpServer,
    pub login: Option<Login>,
    pub from: Mailbox,
    /// PEM text of the certificates to trust instead of the system's.
    pub ca: Option<String>,
    /// What we call ourselves: the sign-in host.
    pub hello: String,
}

#[derive(Clone, Debug)]
pub struct Login {
    pub username: String,
    pub password: Secret,
}

/// Why nothing can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    #[error("the system has no root certificates")]
    NoRoots,
    #[error("the file of `ca` holds no certificate that can be read")]
    NoCertificate,
    #[error("{0}")]
    Config(String),
}

impl Route {
    /// Settings of TLS that check the server's certificate against `ca`, or else against the
    /// system's (or `SSL_CERT_FILE`). There is no way to leave the check out.
    ///
    /// # Errors
    /// If there is nothing to check against.
    pub fn trust(&self) -> Result<Arc<ClientConfig>, TrustError> {
        let mut roots = RootCertStore::empty();
        match &self.ca {
            Some(pem) => {
                for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
                    let certificate = certificate.map_err(|_| TrustError::NoCertificate)?;
                    roots.add(certificate).map_err(|_| TrustError::NoCertificate)?;
                }
                if roots.is_empty() {
                    return Err(TrustError::NoCertificate);
                }
            }
            None => {
                roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
        }
        if roots.is_empty() {
            return Err(TrustError::NoRoots);
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| TrustError::Config(error.to_string()))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Arc::new(config))
    }
}
