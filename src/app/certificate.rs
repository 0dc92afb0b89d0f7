//! The certificate that the main listener shows, taken up anew when its files change.
//!
//! What cannot be used leaves the one before it in use, and is told.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{ClientHello, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use zeroize::Zeroizing;

use super::options::Options;
use super::secrets::{SecretError, Secrets};
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
    #[error("server tls: {0}")]
    NotReadable(#[from] SecretError),
    #[error("server tls: {} can be read by everybody: chmod o-rwx {}", .0.display(), .0.display())]
    KeyIsPublic(PathBuf),
    #[error("server tls: {} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)", .0.display())]
    NoCertificate(PathBuf),
    #[error("server tls: {} holds no private key in PEM (-----BEGIN PRIVATE KEY-----)", .0.display())]
    NoKey(PathBuf),
    #[error("server tls: {} is not the key of {}: {reason}", .files.key.display(), .files.cert.display())]
    NotAPair { files: CertificateFiles, reason: String },
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

impl Certificate {
    /// Reads the files for the first time.
    ///
    /// # Errors
    /// If they cannot be read or used.
    pub fn open(files: CertificateFiles, options: &Options) -> Result<Self, CertificateError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let read = Read::from(&files, options)?;
        let shown = Arc::new(Shown(ArcSwap::from_pointee(read.pair(&files, &provider)?)));
        let unusable =
            |error: String| CertificateError::NotAPair { files: files.clone(), reason: error };
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| unusable(error.to_string()))?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Ok(Self { files, shown, acceptor, taken: Mutex::new(read.digest()) })
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
        let chain = CertificateDer::pem_slice_iter(&self.cert).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| CertificateError::NoCertificate(files.cert.clone()))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key);
        let key = key.map_err(|_| CertificateError::NoKey(files.key.clone()))?;
        CertifiedKey::from_der(chain, key, provider).map_err(|error| CertificateError::NotAPair {
            files: files.clone(),
            reason: error.to_string(),
        })
    }
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
