//! The sign-in host as the outside sees it: name, certificate, front, clock.

use std::net::IpAddr;

use super::Case;
use super::ask::{Answer, AskError, Asker, resolve};
use super::declared::is_loopback;
use super::finding::Finding;
use super::listener::is_live;
use crate::clock::Millis;
use crate::forward_auth::handover::START;
use crate::model::host::is_localhost;
use crate::model::web_url::Origin;

const TOPIC: &str = "external-host";

/// Clocks that differ by more make sessions and one-time codes end too early or too late.
const MOST_MILLIS: i64 = 30_000;

type Asked = Result<Answer, AskError>;

/// What came back from the sign-in host.
#[derive(Debug)]
pub struct Facts {
    pub origin: Origin,
    pub place: String,
    pub resolved: Result<Vec<IpAddr>, AskError>,
    pub live: Asked,
    /// The start page, as a browser asks for it.
    pub root: Asked,
    /// A decision endpoint, which nobody out there may reach.
    pub decision: Asked,
    pub now: Millis,
    pub reach: Option<String>,
}

pub(crate) async fn look(case: &Case<'_>, asker: &Asker, now: Millis) -> Vec<Finding> {
    let declared = &case.blueprint.settings.external_host;
    let origin = case.places.addressing.public(&declared.value.origin());
    let url = |path: &str| format!("{origin}{path}");
    let (live, root, decision) = (url("/healthz/live"), url("/"), url("/auth/traefik"));
    let (resolved, live, root, decision) = tokio::join!(
        resolve(&origin.host),
        asker.get(&live, &[]),
        asker.get(&root, &[("accept", "text/html")]),
        asker.get(&decision, &[]),
    );
    let reach = super::declared::reach_at(case).map(|(url, _)| url.as_str().to_owned());
    let place = case.place(declared.span);
    judge(&Facts { origin, place, resolved, live, root, decision, now, reach })
}

/// Says what the answers mean.
pub fn judge(facts: &Facts) -> Vec<Finding> {
    let host = &facts.origin.host;
    if let Err(error) = &facts.resolved {
        return vec![
            Finding::error(TOPIC, format!("{host}: {error} from here"))
                .why("without an entry in DNS no browser finds the sign-in page")
                .at(&facts.place)
                .change(format!("{host}. IN A 203.0.113.7   ; the address of your Traefik")),
        ];
    }
    let answer = match &facts.live {
        Ok(answer) => answer,
        Err(error) => return vec![unreachable(facts, error)],
    };
    if !is_live(answer) {
        return vec![not_us(facts, answer)];
    }
    let mut found = vec![Finding::ok(TOPIC, format!("{} answers as Doorward", facts.origin))];
    found.extend(root(facts));
    found.extend(private(facts));
    found.extend(clock(answer, facts.now));
    found
}

fn unreachable(facts: &Facts, error: &AskError) -> Finding {
    let finding = Finding::error(TOPIC, format!("{} gives no answer from here", facts.origin))
        .why(error.to_string())
        .at(&facts.place);
    match error {
        AskError::Certificate(_) => finding
            .change("traefik {\n    tls resolver=letsencrypt   // a certificate for this host\n}"),
        _ if is_localhost(&facts.origin.host) => finding.change("doorward serve"),
        _ => finding.change(format!(
            "see that Traefik runs, that port {} leads to it, and that it has loaded our file",
            facts.origin.port
        )),
    }
}

fn not_us(facts: &Facts, answer: &Answer) -> Finding {
    let what = format!("{} answers {} instead of Doorward", facts.origin, answer.status);
    let finding = Finding::error(TOPIC, what).at(&facts.place);
    let location = answer.location.as_deref().unwrap_or("");
    match answer.status {
        _ if location.contains(START) => behind_itself(facts),
        404 => finding
            .why("the proxy has no router for this host, or it passes the login itself through the middleware")
            .change(router(facts)),
        502..=504 => finding
            .why("the proxy has a router for this host but does not reach Doorward behind it")
            .change(match &facts.reach {
                Some(reach) => format!("reach-doorward-at \"{reach}\"   // from where Traefik runs: curl {reach}healthz/live"),
                None => "traefik {\n    reach-doorward-at \"http://127.0.0.1:9000\"\n}".to_owned(),
            }),
        300..=399 => finding
            .why(format!("it redirects to {location}"))
            .change(format!("external-host \"{}\"   // the address that answers, with its scheme", address_of(location, facts))),
        _ => finding.why("another program answers under this name").change(router(facts)),
    }
}

fn address_of(location: &str, facts: &Facts) -> String {
    let url = crate::model::web_url::WebUrl::parse(location);
    url.map_or_else(|_| facts.origin.to_string(), |url| url.origin().to_string())
}

fn router(facts: &Facts) -> String {
    let reach = facts.reach.as_deref().unwrap_or("http://127.0.0.1:9000");
    format!(
        "http:\n  routers:\n    doorward: {{ rule: \"Host(`{}`)\", service: doorward, tls: {{}} }}\n  services:\n    \
         doorward: {{ loadBalancer: {{ servers: [{{ url: \"{reach}\" }}] }} }}",
        facts.origin.host
    )
}

fn root(facts: &Facts) -> Option<Finding> {
    let answer = facts.root.as_ref().ok()?;
    let location = answer.location.as_deref()?;
    let itself = location == facts.origin.to_string() || location == format!("{}/", facts.origin);
    let to_start = location.strip_prefix(&facts.origin.to_string());
    let started = to_start.is_some_and(|path| path.starts_with(START));
    (itself || location == "/" || started).then(|| behind_itself(facts))
}

fn behind_itself(facts: &Facts) -> Finding {
    Finding::error(TOPIC, format!("{} redirects to itself", facts.origin))
        .why("the sign-in host stands behind the very middleware that sends people to it, or two redirects face each other")
        .at(&facts.place)
        .change(format!("take `middlewares` off the router with Host(`{}`)", facts.origin.host))
}

/// `security.md` R16.
fn private(facts: &Facts) -> Option<Finding> {
    let answer = facts.decision.as_ref().ok()?;
    if answer.status == 404 || is_loopback(&facts.origin.host) {
        return None;
    }
    Some(
        Finding::error(TOPIC, format!("{}/auth/traefik can be asked by everybody ({})", facts.origin, answer.status))
            .why("decision endpoints are for the proxy alone; `reach-doorward-at` must not be the public name")
            .at(&facts.place)
            .change("traefik {\n    reach-doorward-at \"http://127.0.0.1:9000\"   // an address on the inside\n}"),
    )
}

fn clock(answer: &Answer, now: Millis) -> Option<Finding> {
    let date = answer.date.as_deref()?;
    let there = jiff::fmt::rfc2822::parse(date).ok()?.timestamp().as_millisecond();
    let apart = there.saturating_sub(now.0);
    let seconds = apart.unsigned_abs() / 1000;
    if apart.abs() <= MOST_MILLIS {
        return Some(Finding::ok("clock", "the clocks agree"));
    }
    let side = if apart > 0 { "ahead of" } else { "behind" };
    Some(
        Finding::warning("clock", format!("the clock there is {seconds} s {side} this one"))
            .why("sessions, tickets and one-time codes end too early or too late")
            .change("timedatectl set-ntp true"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::doctor::finding::Level;
    use crate::model::web_url::WebUrl;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.to_owned(), ..Answer::default() }
    }

    fn fine() -> Facts {
        Facts {
            origin: WebUrl::parse("https://auth.example.com").expect("a URL").origin(),
            place: "home.kdl:2".to_owned(),
            resolved: Ok(vec![IpAddr::from([203, 0, 113, 7])]),
            live: Ok(Answer {
                date: Some("Thu, 01 Jan 1970 00:00:10 GMT".into()),
                ..answer(200, "ok\n")
            }),
            root: Ok(Answer { location: Some("/sign-in".into()), ..answer(302, "") }),
            decision: Ok(answer(404, "")),
            now: Millis(0),
            reach: Some("http://doorward:9000/".to_owned()),
        }
    }

    fn errors(facts: &Facts) -> Vec<Finding> {
        judge(facts).into_iter().filter(|each| each.level == Level::Error).collect()
    }

    #[test]
    fn a_host_that_answers_as_doorward_is_fine() {
        assert!(judge(&fine()).iter().all(|each| each.level == Level::Ok), "{:?}", judge(&fine()));
    }

    #[test]
    fn a_name_without_address_is_said_before_anything_else() {
        let found = judge(&Facts { resolved: Err(AskError::NoSuchName), ..fine() });
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains("does not resolve"), "{found:?}");
    }

    #[test]
    fn a_proxy_that_does_not_reach_us_is_told_where_to_look() {
        let found = errors(&Facts { live: Ok(answer(502, "Bad Gateway")), ..fine() });
        assert!(
            found[0].change.as_deref().is_some_and(|line| line.starts_with("reach-doorward-at"))
        );
    }

    #[test]
    fn a_sign_in_host_behind_its_own_middleware_is_a_loop() {
        let location = format!("https://auth.example.com{START}?app=x");
        let looping = Answer { location: Some(location), ..answer(302, "") };
        let found = errors(&Facts { live: Ok(looping.clone()), ..fine() });
        assert!(found[0].what.ends_with("redirects to itself"), "{found:?}");
        assert_eq!(errors(&Facts { root: Ok(looping), ..fine() }).len(), 1);
    }

    /// security.md R16
    #[test]
    fn a_decision_endpoint_out_in_the_open_is_an_error() {
        for status in [200, 400, 403] {
            assert_eq!(errors(&Facts { decision: Ok(answer(status, "")), ..fine() }).len(), 1);
        }
    }

    #[test]
    fn clocks_that_differ_are_noticed_in_both_directions() {
        let later = judge(&Facts { now: Millis(100_000), ..fine() });
        assert_eq!(
            later.last().map(|each| each.what.as_str()),
            Some("the clock there is 90 s behind this one")
        );
        let earlier = judge(&Facts { now: Millis(-100_000), ..fine() });
        assert_eq!(earlier.last().map(|each| each.level), Some(Level::Warning));
    }
}
