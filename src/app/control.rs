//! The control socket: how commands on this host reach the running server. HTTP over a socket that
//! only the owner may open.

use std::sync::Arc;

use axum::body::Body;
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::UnixListener;
use tokio::sync::watch;

use crate::app::installed::Installed;
use crate::app::keeper::Keeper;
use crate::app::verdict::Verdict;
use crate::blueprint::render::Style;
use crate::reconcile::{self, Confirmations};
use crate::store::{Notices, StoreError};
use crate::web::reply;
use crate::web::server::Server;

const LONGEST: usize = 64 * 1024;

/// What a command asks for.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Ask {
    /// Confirmations, such as `--allow-prune app:vaultwarden`.
    #[serde(default)]
    pub confirm: Vec<String>,
    /// The id of a token.
    #[serde(default)]
    pub token: String,
    #[serde(default)]
    pub colour: bool,
    #[serde(default)]
    pub width: usize,
}

/// What the server says.
#[derive(Debug, Serialize, Deserialize)]
pub struct Answer {
    pub exit: u8,
    pub word: String,
    pub text: String,
    pub json: serde_json::Value,
}

/// Listens on the control socket until `stop` says so. Without it the server runs on.
pub async fn serve(keeper: Arc<Keeper>, mut stop: watch::Receiver<bool>) {
    let path = keeper.places.control.clone();
    let listener = match open(&path) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::warn!(%error, path = %path.display(), "commands cannot reach this server: the control socket could not be opened");
            return;
        }
    };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = crate::app::listen::told(&mut stop) => break,
        };
        let Ok((stream, _)) = accepted else { continue };
        let keeper = Arc::clone(&keeper);
        tokio::spawn(async move {
            let service = service_fn(|request: Request<Incoming>| {
                let keeper = Arc::clone(&keeper);
                async move { Ok::<_, std::convert::Infallible>(answer(&keeper, request).await) }
            });
            let served = hyper::server::conn::http1::Builder::new();
            let _ = served.serve_connection(TokioIo::new(stream), service).await;
        });
    }
    let _ = std::fs::remove_file(&path);
}

fn open(path: &std::path::Path) -> std::io::Result<UnixListener> {
    use std::os::unix::fs::PermissionsExt;
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    // A socket that nobody answers on is left over from a process that was killed.
    if path.exists() && std::os::unix::net::UnixStream::connect(path).is_err() {
        std::fs::remove_file(path)?;
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

async fn answer(keeper: &Keeper, request: Request<Incoming>) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, LONGEST).collect().await else {
        return reply::empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let ask = match body.to_bytes() {
        empty if empty.is_empty() => Ok(Ask::default()),
        bytes => serde_json::from_slice(&bytes),
    };
    let Ok(ask) = ask else { return reply::empty(StatusCode::BAD_REQUEST) };
    let answer = match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/reload") => reload(keeper, &ask).await,
        (&Method::POST, "/plan") => plan(keeper, &ask).await,
        (&Method::POST, "/token/revoke") => revoke_token(keeper, &ask).await,
        (&Method::GET, "/status") => status(keeper).await,
        (&Method::GET, "/installation") => installation(keeper),
        _ => return reply::empty(StatusCode::NOT_FOUND),
    };
    reply::json(StatusCode::OK, &serde_json::json!(answer))
}

fn style(ask: &Ask) -> Style {
    let width = if ask.width == 0 { 100 } else { ask.width };
    Style { colour: ask.colour, width, ..Style::default() }
}

fn bad_confirmation(error: &dyn std::fmt::Display) -> Answer {
    Answer {
        exit: 1,
        word: "failed".to_owned(),
        text: format!("error: {error}\n"),
        json: serde_json::Value::Null,
    }
}

async fn reload(keeper: &Keeper, ask: &Ask) -> Answer {
    let confirmations = match Confirmations::parse(ask.confirm.iter().map(String::as_str)) {
        Ok(confirmations) => confirmations,
        Err(error) => return bad_confirmation(&error),
    };
    let by = if confirmations.is_empty() { "reload" } else { "apply" };
    let (verdict, _) = keeper.reload(&confirmations, by, true).await;
    let server = &keeper.fronts.server;
    let (now, generation) = (server.clock.now(), server.runtime.load().generation);
    let restart = &server.health.load().restart;
    let told = restart.iter().map(|awaited| format!("{awaited}\n"));
    let (word, text) = (verdict.word(), verdict.text(now, &style(ask)));
    Answer {
        exit: verdict.exit_code(),
        word: word.to_owned(),
        text: text + &told.collect::<String>(),
        json: serde_json::json!({ "result": word, "generation": generation, "restart": restart }),
    }
}

async fn plan(keeper: &Keeper, ask: &Ask) -> Answer {
    let confirmations = match Confirmations::parse(ask.confirm.iter().map(String::as_str)) {
        Ok(confirmations) => confirmations,
        Err(error) => return bad_confirmation(&error),
    };
    let now = keeper.fronts.server.clock.now();
    match keeper.plan(&confirmations).await {
        Err(error) => bad_confirmation(&error),
        Ok(Err(rejected)) => Answer {
            exit: 1,
            word: "rejected".to_owned(),
            json: serde_json::json!({ "result": "rejected", "problems": rejected.lines() }),
            text: Verdict::from(rejected).text(now, &style(ask)),
        },
        Ok(Ok(plan)) => Answer {
            exit: plan.outcome().exit_code(),
            word: plan.outcome().word().to_owned(),
            text: reconcile::render::render(&plan, now, crate::app::verdict::colour(ask.colour)),
            json: reconcile::json::to_json(&plan),
        },
    }
}

async fn revoke_token(keeper: &Keeper, ask: &Ask) -> Answer {
    let tokens = &keeper.fronts.server.tokens;
    let (exit, text) = match tokens.revoke(&ask.token, None, "command line").await {
        Ok(Some(token)) => (0, format!("revoked `{}`\n", token.name)),
        Ok(None) => (1, format!("there is no token {}, or it was revoked before\n", ask.token)),
        Err(error) => (1, format!("the token could not be revoked: {error}\n")),
    };
    Answer { exit, word: String::new(), text, json: serde_json::Value::Null }
}

/// Where this server keeps its things: only the owner may ask, as only they may see its arguments.
fn installation(keeper: &Keeper) -> Answer {
    let json = serde_json::json!(Installed::new(&keeper.options, &keeper.places));
    Answer { exit: 0, word: String::new(), text: String::new(), json }
}

/// Live sign-ins and app sessions, as the store has them.
async fn live_sessions(server: &Server) -> Result<(i64, i64), StoreError> {
    let (read, now) = (server.store.read().await?, server.clock.now());
    let sum = |counts: Vec<(String, i64)>| counts.iter().map(|(_, count)| count).sum();
    let sign_ins = sum(read.count_live_sessions(now).await?);
    Ok((sign_ins, sum(read.count_live_app_sessions(now).await?)))
}

/// Mail on its way out, and what stands in its way.
async fn mail(server: &Server) -> Result<serde_json::Value, StoreError> {
    let waiting = server.store.read().await?.count_outbox().await?;
    Ok(serde_json::json!({
        "configured": crate::mail::is_configured(&server.runtime.load()),
        "waiting": waiting.waiting,
        "failing": waiting.failing,
        "given-up": waiting.given_up,
        "last-error": waiting.last_error,
    }))
}

/// Where events are told, and what stands in the way.
async fn notices(server: &Server) -> Result<serde_json::Value, StoreError> {
    let all = server.store.read().await?.list_notices().await?;
    let runtime = server.runtime.load();
    let declared =
        |slug: &str| runtime.blueprint.notifies.iter().any(|notify| notify.slug.value == slug);
    let line = |each: &Notices| {
        serde_json::json!({
            "notify": each.slug,
            "failures": each.failures,
            "failing-since": each.first_failed_at.map(|at| at.to_string()),
            "last-error": each.last_error,
        })
    };
    Ok(all.iter().filter(|each| declared(&each.slug)).map(line).collect())
}

async fn status(keeper: &Keeper) -> Answer {
    let server = &keeper.fronts.server;
    let live = live_sessions(server).await.ok();
    let (sign_ins, app_sessions) = live.unzip();
    let mail = mail(server).await.ok();
    let notices = notices(server).await.ok();
    let (runtime, health) = (server.runtime.load(), server.health.load());
    let json = serde_json::json!({
        "schema": "doorward.status/1",
        "state": health.state,
        "since": health.since.to_string(),
        "generation": runtime.generation,
        "revision": runtime.revision,
        "source": runtime.source_digest,
        "model": runtime.model_digest,
        "external": runtime.external.to_string(),
        "blueprints": keeper.options.roots.iter().map(|root| root.path.display().to_string()).collect::<Vec<_>>(),
        "files": runtime.sources.files.len(),
        "apps": runtime.apps.len(),
        "store": { "place": server.store.place(), "in-contact": server.sessions.in_contact() },
        "sessions": { "sign-ins": sign_ins, "apps": app_sessions },
        "mail": mail,
        "notify": notices,
        "problems": health.problems,
        "remedy": health.remedy,
        "restart": health.restart,
        "degraded": health.degraded,
    });
    Answer { exit: exit_code(&health), word: String::new(), text: String::new(), json }
}

/// The exit code of `status --exit-code`.
fn exit_code(health: &crate::runtime::health::Health) -> u8 {
    use crate::runtime::health::SyncState;
    match health.state {
        SyncState::Held => 3,
        SyncState::Rejected => 1,
        SyncState::InSync if health.degraded.is_empty() => 0,
        SyncState::InSync => 1,
    }
}
