//! Prometheus metrics and the state of the configuration, on a listener of their own.

use std::sync::Arc;

use axum::body::Body;
use http::{Request, Response, StatusCode};

use crate::clock::Millis;
use crate::runtime::health::SyncState;
use crate::web::reply;
use crate::web::server::Server;

/// Answers on the metrics listener.
#[must_use]
pub fn answer(server: &Arc<Server>, request: &Request<Body>) -> Response<Body> {
    match request.uri().path() {
        "/metrics" => reply::text(StatusCode::OK, "text/plain; version=0.0.4", text(server)),
        "/healthz/config" => config(server),
        "/healthz/live" => reply::text(StatusCode::OK, "text/plain", "ok\n"),
        _ => reply::text(StatusCode::NOT_FOUND, "text/plain", "try /metrics or /healthz/config\n"),
    }
}

/// 503 while the running configuration is not the one in the files.
fn config(server: &Server) -> Response<Body> {
    let health = server.health.load();
    let status = match health.is_well() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    reply::json(status, &serde_json::json!(**health))
}

fn text(server: &Server) -> String {
    let runtime = server.runtime.load();
    let health = server.health.load();
    let now = server.clock.now();
    let in_sync = health.state == SyncState::InSync;
    let stale = if in_sync { 0 } else { now.since(health.since).as_secs() };
    let (sign_ins, app_sessions) = server.sessions.counts();
    let gauges = [
        ("doorward_config_in_sync", "Whether the files are in force", u64::from(in_sync)),
        ("doorward_config_stale_seconds", "How long the files have not been in force", stale),
        (
            "doorward_config_generation",
            "The generation in force",
            u64::try_from(runtime.generation).unwrap_or(0),
        ),
        (
            "doorward_config_degraded",
            "What works less than it should",
            health.degraded.len() as u64,
        ),
        (
            "doorward_store_in_contact",
            "Whether the store answers",
            u64::from(server.sessions.in_contact()),
        ),
        ("doorward_sessions", "Sign-ins in memory", sign_ins as u64),
        ("doorward_app_sessions", "App sessions in memory", app_sessions as u64),
        ("doorward_apps", "Declared apps", runtime.apps.len() as u64),
    ];
    let mut text = String::new();
    for (name, help, value) in gauges {
        text += &format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
    }
    text + &format!(
        "# HELP doorward_time_seconds The clock\n# TYPE doorward_time_seconds gauge\ndoorward_time_seconds {}\n",
        seconds(now)
    )
}

fn seconds(now: Millis) -> i64 {
    now.0 / 1000
}
