//! What the configuration in force gives to others: Traefik's file, Traefik's HTTP provider, and
//! the secrets that files ask to have delivered.
//!
//! What cannot be written leaves the old file where it is, is told as *degraded*, and is tried
//! again.

use std::path::PathBuf;
use std::sync::Arc;

use super::candidate;
use super::certificate::Certificate;
use super::client_secrets;
use super::dispatch::{Fronts, Provided};
use super::generated::{self, Generated};
use super::options::Options;
use super::places::Places;
use super::secrets::Secrets;
use super::tasks;
use crate::blueprint::secret_ref::{SecretOrigin, SecretRef};
use crate::blueprint::traefik::Traefik;
use crate::proxy_config::FIRST_WORDS;
use crate::proxy_config::traefik::{self, Dynamic, RawRouters};
use crate::repeats::{Repeats, Say};
use crate::runtime::Runtime;
use crate::secret::Secret;
use crate::written_file::{self, Kind, WriteError, Written};

/// Writes and offers what the runtime of `fronts` says.
pub struct Publisher<'a> {
    pub options: &'a Options,
    pub places: &'a Places,
    pub fronts: &'a Fronts,
    pub certificate: Option<&'a Certificate>,
    /// What the log was told already.
    pub told: &'a Repeats,
}

impl Publisher<'_> {
    /// Publishes everything; `false` if something is left to be tried again. Files that are as they
    /// should be are not touched.
    pub async fn publish(&self) -> bool {
        let server = &self.fronts.server;
        let runtime = server.runtime.load_full();
        let dynamic = Self::dynamic(&runtime);
        let mut degraded = Vec::new();
        let opened = generated::open(&server.store, &server.key, &runtime.blueprint).await;
        let secrets = opened.unwrap_or_else(|error| {
            let trouble = format!("secret: {error}");
            if self.is_news(&trouble) {
                tracing::error!(%error, "generated secrets are not at hand");
            }
            degraded.push(trouble);
            Vec::new()
        });
        if let Err(error) = self.ready_clients(&runtime).await {
            let trouble = format!("oidc: {error}");
            if self.is_news(&trouble) {
                tracing::error!(%error, "apps cannot sign people in with OpenID Connect; the next try is soon");
            }
            degraded.push(trouble);
        }
        if let Some(trouble) = self.show_certificate(&runtime.external.host) {
            degraded.push(trouble);
        }
        let traefik = runtime.blueprint.traefik.as_ref();
        let provided = provided(self.options, traefik, dynamic.as_ref(), &secrets);
        self.fronts.provided.store(provided.map(Arc::new));
        if let Err(error) = self.write_traefik(traefik, dynamic.as_ref()) {
            let trouble = format!("traefik: {error}");
            if self.is_news(&trouble) {
                tracing::error!(%error, "Traefik's file could not be written: the old one stays, and the next try is soon");
            }
            degraded.push(trouble);
        }
        let delivered: Vec<&Generated> = secrets.iter().filter(|s| s.deliver.is_some()).collect();
        let made = match delivered.is_empty() {
            true => Vec::new(),
            // Nothing is known again then, and so nothing is replaced.
            false => generated::ever_made(&server.store, &server.key).await.unwrap_or_default(),
        };
        for secret in delivered {
            if let Err(error) = self.deliver(secret, &made) {
                let (subject, field) = (&secret.subject, &secret.field);
                let trouble = format!("secret: {field} of {subject}: {error}");
                if self.is_news(&trouble) {
                    tracing::error!(%error, subject, field, "a secret could not be delivered; the next try is soon");
                }
                degraded.push(trouble);
            }
        }
        self.told.keep_only(&degraded);
        let fine = degraded.is_empty();
        let mut health = (*server.health.load_full()).clone();
        health.degraded = degraded;
        server.health.store(Arc::new(health));
        fine
    }

    /// What clients prove themselves by, and the keys that their tokens are signed with.
    async fn ready_clients(&self, runtime: &Runtime) -> anyhow::Result<()> {
        let server = &self.fronts.server;
        let secrets =
            client_secrets::load(self.options, &server.store, &server.key, runtime).await?;
        server.client_secrets.replace(secrets);
        self.trust(runtime)?;
        Ok(tasks::tend_signing_keys(server, runtime).await?)
    }

    /// Certificates that calls to others trust besides the system's.
    fn trust(&self, runtime: &Runtime) -> anyhow::Result<()> {
        let declared = runtime.blueprint.settings.trusted_ca.as_ref();
        let read = declared.map(|path| Secrets::new(self.options).certificates(&path.value));
        let pem = read.transpose().map_err(|error| anyhow::anyhow!("trusted-ca: {error}"))?;
        self.fronts.server.outbound.trust(pem);
        Ok(())
    }

    /// Shows the certificate that lies where the listener's is; the trouble, if it cannot be used, or
    /// nobody will take it.
    fn show_certificate(&self, host: &str) -> Option<String> {
        let certificate = self.certificate?;
        match certificate.take_up(self.options) {
            Ok(false) => self.doubt(certificate, host),
            Ok(true) => {
                tracing::info!("the listener shows another certificate from now on");
                self.fronts.server.journal.note(
                    "certificate.taken-up",
                    None,
                    None,
                    serde_json::Value::Null,
                );
                self.doubt(certificate, host)
            }
            Err(error) => {
                let trouble = format!("server {error}");
                if self.is_news(&trouble) {
                    tracing::error!(
                        error = trouble,
                        "the certificate could not be taken up: the one before it is shown on, and the next try is soon"
                    );
                }
                Some(trouble)
            }
        }
    }

    fn doubt(&self, certificate: &Certificate, host: &str) -> Option<String> {
        let doubt = certificate.doubt(host, self.fronts.server.clock.now())?;
        let doubt = format!("server {doubt}");
        if self.is_news(&doubt) {
            tracing::warn!("{doubt}");
        }
        Some(doubt)
    }

    /// It is tried every two seconds, and told ever more seldom.
    fn is_news(&self, trouble: &str) -> bool {
        self.told.say(trouble, self.fronts.server.clock.now()) != Say::Nothing
    }

    fn dynamic(runtime: &Runtime) -> Option<Dynamic> {
        // What is in force was allowed when it was judged.
        let stamp = candidate::stamp(runtime.revision.as_deref(), &runtime.source_digest);
        traefik::dynamic(&runtime.blueprint, &stamp, RawRouters::Allowed).ok().flatten()
    }

    fn write_traefik(
        &self,
        traefik: Option<&Traefik>,
        dynamic: Option<&Dynamic>,
    ) -> Result<(), WriteError> {
        let declared = traefik.and_then(|traefik| traefik.write.as_ref());
        let (Some(declared), Some(dynamic)) = (declared, dynamic) else { return Ok(()) };
        let kind = Kind::Public { first_words: FIRST_WORDS };
        if let Some(path) = self.write(&declared.value, &dynamic.to_yaml(), kind)? {
            tracing::info!(path = %path.display(), "Traefik's file was written");
        }
        Ok(())
    }

    fn deliver(&self, secret: &Generated, made: &[Secret]) -> Result<(), WriteError> {
        let Some(declared) = &secret.deliver else { return Ok(()) };
        let kind = Kind::Secret { made };
        if let Some(path) = self.write(declared, secret.value.reveal(), kind)? {
            let (subject, path) = (&secret.subject, path.display());
            tracing::info!(subject, field = secret.field, %path, "a secret was delivered");
            let data = serde_json::json!({ "field": secret.field, "rotation": secret.rotation });
            self.fronts.server.journal.note("secret.delivered", None, Some(subject), data);
        }
        Ok(())
    }

    /// Writes the file that is declared at this path, where the host lets it. The path, unless the
    /// file was there already.
    fn write(
        &self,
        declared: &str,
        text: &str,
        kind: Kind<'_>,
    ) -> Result<Option<PathBuf>, WriteError> {
        let path = self.places.written(self.options, declared);
        self.places.prepare(&path);
        let allowed = self.places.writable(self.options);
        let written = written_file::write(&path, text, kind, &allowed)?;
        Ok((written == Written::Anew).then_some(path))
    }
}

fn provided(
    options: &Options,
    traefik: Option<&Traefik>,
    dynamic: Option<&Dynamic>,
    secrets: &[Generated],
) -> Option<Provided> {
    let (serve, dynamic) = (traefik?.serve.as_ref()?, dynamic?);
    let token = match &serve.token {
        // A token that is missing closes the door; it never opens it.
        Some(reference) => Some(token(options, reference, secrets)?),
        None => None,
    };
    Some(Provided {
        path: serve.path.value.clone(),
        token,
        json: dynamic.to_json(),
        digest: dynamic.stamp().digest().to_owned(),
        revision: dynamic.stamp().revision().to_owned(),
    })
}

fn token(options: &Options, reference: &SecretRef, secrets: &[Generated]) -> Option<Secret> {
    if reference.origin == SecretOrigin::Generated {
        let ours = |secret: &&Generated| secret.subject == "traefik";
        return secrets.iter().find(ours).map(|secret| secret.value.clone());
    }
    Secrets::new(options).resolve(reference).ok().flatten()
}
