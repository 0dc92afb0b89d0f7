//! The certificate that a listener shows, taken up anew when its files change.
//!
//! What cannot be used leaves the one before it in use, and is told.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::client::verify_server_name;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{self, ServerConfig};
use x509_parser::time::ASN1Time;
use zeroize::Zeroizing;

use super::options::Options;
use super::secrets::{SecretError, Secrets};
use crate::clock::Millis;
use crate::secret::sha256_hex;

/// Nobody has a longer chain.
const LARGEST: u64 = 256 * 1024;

/// Where a chain and its key lie, as PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFiles {
    pub cert: PathBuf,
    pub key: PathBuf,
}

/// What the listener shows to whoever connects.
pub struct Certificate {
    files: CertificateFiles,
    shown: Arc<Shown>,
    acceptor: TlsAcceptor,
    /// The digest of the files as they were last taken up.
    taken: Mutex<String>,
}

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    #[error("tls: {0}")]
    NotReadable(#[from] SecretError),
    #[error("tls: {} can be read by everybody: chmod o-rwx {}", .0.display(), .0.display())]
    KeyIsPublic(PathBuf),
    #[error("tls: {} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    #[error("tls: {} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    #[error("tls: cert={} is a key and key={} a certificate: exchange them", .0.cert.display(), .0.key.display())]
    Exchanged(CertificateFiles),
    #[error("tls: {} is not the key of {}{reason}", .files.key.display(), .files.cert.display())]
    NotAPair { files: CertificateFiles, reason: String },
}

/// What browsers will not like about a certificate that can be shown.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    #[error("tls: {} ran out on {at}: renew it", .cert.display())]
    RanOut { cert: PathBuf, at: String },
    #[error("tls: {} begins on {at}: look at this machine's clock", .cert.display())]
    Early { cert: PathBuf, at: String },
    #[error("tls: {} is not for {host}: have one issued that names it", .cert.display())]
    OtherHost { cert: PathBuf, host: String },
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificate {
    /// Reads the files for the first time, for a listener that speaks `protocol` (RFC 7301), where it has
    /// a name.
    ///
    /// # Errors
    /// If they cannot be read or used.
    pub fn open(
        files: CertificateFiles,
        protocol: Option<&str>,
        options: &Options,
    ) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let read = Read::from(&files, options)?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(read.pair(&files, &provider)?)));
        let unusable = |error: String| CertificateError::NotAPair {
            files: files.clone(),
            reason: format!(": {error}"),
        };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = protocol.iter().map(|name| name.as_bytes().to_vec()).collect();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files, shown, acceptor, taken: Mutex::new(read.digest()) })
    }

    /// Where it lies.
    #[must_use]
    pub fn files(&self) -> &CertificateFiles {
        &self.files
    }

    /// What begins a connection with whoever connects.
    #[must_use]
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }

    /// Whether the files are not those that were taken up.
    #[must_use]
    pub fn has_changed(&self, options: &Options) -> bool {
        let read = Read::from(&self.files, options);
        read.map_or(true, |read| read.digest() != *self.taken())
    }

    /// Shows what the files say now. Whether that is another certificate.
    ///
    /// # Errors
    /// If they cannot be used: what was shown before is shown on.
    pub fn take_up(&self, options: &Options) -> Result<bool, CertificateError> {
        let read = Read::from(&self.files, options)?;
        let digest = read.digest();
        if digest == *self.taken() {
            return Ok(false);
        }
        let pair = read.pair(&self.files, self.acceptor.config().crypto_provider())?;
        self.shown.0.store(Arc::new(pair));
        *self.taken() = digest;
        Ok(true)
    }

    /// What browsers that look for this host will not like about what is shown.
    #[must_use]
    pub fn doubt(&self, host: &str, now: Millis) -> Option<Doubt> {
        let shown = self.shown.0.load();
        let leaf = shown.end_entity_cert().ok()?;
        let cert = self.files.cert.clone();
        let (from, until) = lasts(leaf)?;
        if now < from {
            return Some(Doubt::Early { cert, at: from.minute() });
        }
        if now > until {
            return Some(Doubt::RanOut { cert, at: until.minute() });
        }
        let parsed = ParsedCertificate::try_from(leaf).ok()?;
        let name = ServerName::try_from(host).ok()?;
        let host = host.to_owned();
        verify_server_name(&parsed, &name).err().map(|_| Doubt::OtherHost { cert, host })
    }

    fn taken(&self) -> std::sync::MutexGuard<'_, String> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Both files, as they are.
struct Read {
    cert: Vec<u8>,
    key: Zeroizing<Vec<u8>>,
}

impl Read {
    fn from(files: &CertificateFiles, options: &Options) -> Result<Self, CertificateError> {
        let secrets = Secrets::new(options);
        let cert = bytes(&secrets.permitted(&files.cert)?)?;
        let path = secrets.permitted(&files.key)?;
        refuse_public(&path)?;
        Ok(Self { cert, key: Zeroizing::new(bytes(&path)?) })
    }

    fn digest(&self) -> String {
        sha256_hex(&Zeroizing::new([&self.cert[..], &[0], &self.key[..]].concat()))
    }

    /// A chain and the key of its first certificate.
    fn pair(
        &self,
        files: &CertificateFiles,
        provider: &CryptoProvider,
    ) -> Result<CertifiedKey, CertificateError> {
        if self.is_exchanged() {
            return Err(CertificateError::Exchanged(files.clone()));
        }
        let chain = CertificateDer::pem_slice_iter(&self.cert).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| CertificateError::NoCertificate(files.cert.clone()))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| CertificateError::NoKey(files.key.clone()))?;
        let pair = CertifiedKey::from_der(chain, key, provider);
        pair.map_err(|error| CertificateError::NotAPair {
            files: files.clone(),
            reason: match error {
                rustls::Error::InconsistentKeys(_) => String::new(),
                other => format!(": {other}"),
            },
        })
    }

    fn is_exchanged(&self) -> bool {
        PrivateKeyDer::from_pem_slice(&self.cert).is_ok()
            && CertificateDer::from_pem_slice(&self.key).is_ok()
    }
}

/// From when until when (RFC 5280 §4.1.2.5).
fn lasts(certificate: &CertificateDer<'_>) -> Option<(Millis, Millis)> {
    let (_, parsed) = x509_parser::parse_x509_certificate(certificate).ok()?;
    let validity = parsed.validity();
    let millis = |at: ASN1Time| Millis(at.timestamp().saturating_mul(1_000));
    Some((millis(validity.not_before), millis(validity.not_after)))
}

fn bytes(path: &Path) -> Result<Vec<u8>, CertificateError> {
    let unreadable = |reason: String| SecretError::Unreadable { path: path.to_owned(), reason };
    let about = path.metadata().map_err(|error| unreadable(error.to_string()))?;
    if about.len() > LARGEST {
        return Err(unreadable(format!("it is larger than {} KiB", LARGEST / 1024)).into());
    }
    Ok(std::fs::read(path).map_err(|error| unreadable(error.to_string()))?)
}

/// A group may read it, as Debian's `ssl-cert` does; everybody may not.
fn refuse_public(path: &Path) -> Result<(), CertificateError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().map_or(0, |about| about.permissions().mode());
    match mode & 0o007 {
        0 => Ok(()),
        _ => Err(CertificateError::KeyIsPublic(path.to_owned())),
    }
}
