//! Asking the running server over its control socket.

use std::path::Path;

use anyhow::{Context, bail};
use http::{Method, Request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::UnixStream;

use super::Installation;
use crate::app::control::{Answer, Ask};
use crate::app::installed::Installed;
use crate::app::places::Places;
use crate::blueprint::load;

/// The places of an installation, as its files and arguments say.
pub fn places(at: &Installation) -> anyhow::Result<Places> {
    let options = at.options();
    let loaded = load::load(&options.roots, options.mode());
    Ok(Places::new(&options, &loaded.server)?)
}

/// Asks the server; `None` if none runs.
pub async fn ask(
    control: &Path,
    method: Method,
    path: &str,
    ask: &Ask,
) -> anyhow::Result<Option<Answer>> {
    let Ok(stream) = UnixStream::connect(control).await else { return Ok(None) };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(async move {
        let _ = connection.await;
    });
    let body = Full::new(Bytes::from(serde_json::to_vec(ask)?));
    let request =
        Request::builder().method(method).uri(path).header("host", "control").body(body)?;
    let response = sender.send_request(request).await.context("the server hung up")?;
    let status = response.status();
    let bytes = response.into_body().collect().await?.to_bytes();
    if !status.is_success() {
        bail!("the running server does not know this command ({status}): is it an older version?");
    }
    Ok(Some(serde_json::from_slice(&bytes).context("the server's answer makes no sense")?))
}

/// Where the running server keeps its things; `None` if none runs.
pub async fn installed(control: &Path) -> anyhow::Result<Option<Installed>> {
    let asked = ask(control, Method::GET, "/installation", &Ask::default()).await?;
    let told = asked.map(|answer| serde_json::from_value(answer.json));
    told.transpose().context("the server's answer makes no sense")
}

/// What a command says when no server runs and it needs one.
pub fn nobody(control: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "no server answers at {}: start it with `doorward serve`, or give this command the same \
         --blueprints and --state as the server. If `server {{ state … }}` was edited since the server started, \
         restart it: that setting also says where commands look for it",
        control.display()
    )
}
