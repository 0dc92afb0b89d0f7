//! The main listener, the endpoint that Traefik asks, and the listener that Envoy asks.

use std::net::SocketAddr;

use super::Case;
use super::ask::{Answer, AskError, Asker};
use super::declared;
use super::finding::Finding;

const TOPIC: &str = "listener";
const PATH: &str = "/auth/traefik";
const LIVE: &str = "/healthz/live";

type Asked = Result<Answer, AskError>;

/// What came back from one listener.
#[derive(Debug)]
pub struct Facts {
    pub at: SocketAddr,
    /// Whether the control socket says that a server runs.
    pub running: bool,
    pub live: Asked,
    /// The host that Traefik calls Doorward by, and what it would be told; `None` without one.
    pub decision: Option<(String, Asked)>,
    /// Whether Traefik comes over loopback, as we do here.
    pub from_loopback: bool,
    pub place: Option<String>,
}

pub(crate) async fn look(case: &Case<'_>, asker: &Asker, running: bool) -> Vec<Finding> {
    let mut found = Vec::new();
    for at in &case.places.listen {
        found.extend(judge(&ask(case, asker, *at, running).await));
    }
    if let Some(at) = case.places.envoy {
        found.extend(judge(&ask_envoys(asker, at, running).await));
    }
    found
}

/// Envoy's listener: whether it is there. Its questions cannot be asked without Envoy's headers.
async fn ask_envoys(asker: &Asker, at: SocketAddr, running: bool) -> Facts {
    let live = asker.get_as(at, &at.to_string(), LIVE).await;
    Facts { at, running, live, decision: None, from_loopback: false, place: None }
}

async fn ask(case: &Case<'_>, asker: &Asker, at: SocketAddr, running: bool) -> Facts {
    let reach = declared::reach_at(case);
    let speaks_tls = case.places.certificate.is_some();
    let get = async |host: &str, path: &str| match speaks_tls {
        true => asker.get_secure_as(at, host, path).await,
        false => asker.get_as(at, host, path).await,
    };
    let live = match speaks_tls {
        true => get(case.blueprint.settings.external_host.value.host(), LIVE).await,
        false => get(&at.to_string(), LIVE).await,
    };
    let decision = match reach.filter(|_| live.is_ok()) {
        Some((url, _)) => {
            let host = url.origin().authority().into_owned();
            let asked = get(&host, PATH).await;
            Some((host, asked))
        }
        None => None,
    };
    Facts {
        at,
        running,
        live,
        decision,
        from_loopback: reach.is_some_and(|(url, _)| declared::is_loopback(url.host())),
        place: reach.map(|(_, span)| case.place(span)),
    }
}

/// Says what the answers mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let at = facts.at;
    match &facts.live {
        Err(_) if !facts.running => Vec::new(),
        Err(AskError::Certificate(reason)) => vec![
            Finding::error(TOPIC, format!("the certificate that {at} shows is not accepted here"))
                .why(reason.clone())
                .change("SSL_CERT_FILE=/etc/ssl/lan-ca.pem doorward doctor   // if an authority of your own issued it"),
        ],
        Err(error) => vec![
            Finding::error(TOPIC, format!("the server runs, but {at} gives no answer"))
                .why(error.to_string())
                .change(
                    "restart the server if `listen` or `listen-envoy` was changed: listeners are opened at start",
                ),
        ],
        Ok(answer) if !is_live(answer) => vec![
            Finding::error(TOPIC, format!("another program answers at {at}"))
                .why(format!("{LIVE} gave {}", answer.status))
                .change("server {\n    listen \"127.0.0.1:9001\"   // a port of its own\n}"),
        ],
        Ok(_) => {
            let mut found = vec![Finding::ok(TOPIC, format!("answers at {at}"))];
            found.extend(decision(facts));
            found
        }
    }
}

/// Whether this is how Doorward says that it lives.
pub fn is_live(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == "ok\n"
}

fn decision(facts: &Facts) -> Option<Finding> {
    let (host, asked) = facts.decision.as_ref()?;
    let finding = match asked {
        Err(error) => Finding::error(TOPIC, format!("{PATH} gives no answer: {error}")),
        // Without the headers of a proxy there is nothing to decide: whoever is told so was let in.
        Ok(answer) if answer.status == 400 => {
            return Some(Finding::ok(TOPIC, format!("a proxy that asks for {host} is answered")));
        }
        Ok(answer) if answer.status == 404 => {
            Finding::error(TOPIC, format!("{PATH} is not served for `{host}`"))
                .why("the running server knows Doorward by another name; `reach-doorward-at` must be the address in Traefik's middleware")
                .change("doorward reload --wait")
        }
        Ok(answer) if answer.status == 403 && !facts.from_loopback => {
            return Some(Finding::ok(
                TOPIC,
                format!("{PATH} is there for {host}; this machine is no trusted proxy, and need not be"),
            ));
        }
        Ok(answer) if answer.status == 403 => {
            let peer = answer.body.split_whitespace().next().unwrap_or("127.0.0.1");
            let peer = peer.parse::<std::net::IpAddr>().map_or("127.0.0.1".to_owned(), |ip| ip.to_string());
            Finding::error(TOPIC, format!("a proxy on this machine ({peer}) is refused"))
                .why("`trusted-proxies` does not name it in the files that are in force")
                .change(format!("server {{\n    trusted-proxies \"{peer}\"\n}}"))
        }
        Ok(answer) => {
            Finding::error(TOPIC, format!("{PATH} gave {}, which no proxy understands", answer.status))
                .why("503 means that the server has no files in force or no store")
                .change("doorward status")
        }
    };
    Some(Finding { at: facts.place.clone(), ..finding })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;

    fn answer(status: u16, body: &str) -> Asked {
        Ok(Answer { status, body: body.to_owned(), ..Answer::default() })
    }

    fn facts(decision: Asked, from_loopback: bool) -> Facts {
        Facts {
            at: "127.0.0.1:9000".parse().expect("an address"),
            running: true,
            live: answer(200, "ok\n"),
            decision: Some(("127.0.0.1:9000".to_owned(), decision)),
            from_loopback,
            place: None,
        }
    }

    fn last(facts: &Facts) -> Finding {
        judge(facts).pop().expect("a finding")
    }

    #[test]
    fn an_endpoint_that_asks_for_headers_has_let_us_in() {
        assert_eq!(last(&facts(answer(400, "the proxy sent no"), true)).level, Level::Ok);
    }

    #[test]
    fn a_refused_local_proxy_is_told_the_line() {
        let found = last(&facts(answer(403, "127.0.0.1 is not a trusted proxy."), true));
        assert_eq!(found.level, Level::Error);
        assert!(found.change.expect("a line").contains("trusted-proxies \"127.0.0.1\""));
        let elsewhere = facts(answer(403, "127.0.0.1 is not a trusted proxy."), false);
        assert_eq!(last(&elsewhere).level, Level::Ok, "the proxy is on another machine");
    }

    #[test]
    fn a_wrong_host_is_told_apart_from_a_refused_peer() {
        let found = last(&facts(answer(404, "not here\n"), true));
        assert!(found.what.contains("not served for `127.0.0.1:9000`"), "{found:?}");
    }

    #[test]
    fn another_program_on_the_port_is_not_taken_for_us() {
        let found = last(&Facts { live: answer(200, "<html>"), ..facts(answer(400, ""), true) });
        assert_eq!((found.level, found.topic), (Level::Error, "listener"));
    }

    #[test]
    fn silence_is_an_error_only_if_a_server_runs() {
        let silent = Facts { live: Err(AskError::Refused), ..facts(answer(400, ""), true) };
        assert_eq!(last(&silent).level, Level::Error);
        assert_eq!(judge(&Facts { running: false, ..silent }), []);
    }
}
