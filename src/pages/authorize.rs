//! The authorization endpoint, as people see it (OIDC Core §3.1.2): by way of signing in, of a proof, of
//! a consent, back to the app.

use axum::body::Body;
use http::{Response, StatusCode};

use super::flow;
use super::trouble::Trouble;
use super::visit::Visit;
use crate::entry::Entry;
use crate::oidc::authorize::{Answer, Fault, Invited, Mode, PUSHED, Request, SEALED, Stale, Told};
use crate::runtime::app::App;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{Denial, Denied, ErrorKind, ErrorPage};

/// An answer that a form carries.
mod posted_answer;

/// By GET, with the request or a sealed one under way.
pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    let query = visit.parts.uri.query().unwrap_or("");
    let Ok(form) = Form::of_query(query) else {
        return misfit(visit, "a parameter came twice, or the address is too long");
    };
    let invited = match form.exact(SEALED) {
        Some(sealed) => match Invited::open(visit.server, &visit.runtime, sealed) {
            Ok(invited) => invited,
            Err(stale) => return self::stale(visit, stale),
        },
        None => match taken_up(visit, &form).await {
            Ok(Some(invited)) => invited,
            Ok(None) => match read(visit, &form).await {
                Ok(invited) => invited,
                Err(response) => return *response,
            },
            Err(response) => return *response,
        },
    };
    match go_on(visit, &invited).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

/// By POST. A browser that comes from another site brings no cookie along, so that it comes again.
pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else {
        return misfit(visit, "a parameter came twice, or the form is too long");
    };
    let invited = match read(visit, &form).await {
        Ok(invited) => invited,
        Err(response) => return *response,
    };
    match invited.address(visit.server) {
        Some(address) => reply::see_other(&address),
        None => visit.error(ErrorKind::Unavailable),
    }
}

/// The request that a client pushed before, if the address names one.
async fn taken_up<'v>(
    visit: &'v Visit<'_>,
    form: &Form,
) -> Result<Option<Invited<'v>>, Box<Response<Body>>> {
    let Some(uri) = form.exact("request_uri").filter(|uri| uri.starts_with(PUSHED)) else {
        return Ok(None);
    };
    match Request::take_up(visit.server, uri, form.exact("client_id")).await {
        Ok(Some(request)) => {
            let gone = || Box::new(stale(visit, Stale::Gone));
            Invited::new(&visit.runtime, request).map(Some).ok_or_else(gone)
        }
        Ok(None) => Err(Box::new(stale(visit, Stale::Late))),
        Err(error) => Err(Box::new(visit.unavailable(&error))),
    }
}

async fn read<'v>(visit: &'v Visit<'_>, form: &Form) -> Result<Invited<'v>, Box<Response<Body>>> {
    match Request::read(visit.server, &visit.runtime, form).await {
        Ok(request) => {
            let gone = || Box::new(visit.error(ErrorKind::BadRequest));
            Invited::new(&visit.runtime, request).ok_or_else(gone)
        }
        Err(Fault::Told(answer)) => Err(Box::new(deliver(visit, &answer))),
        Err(Fault::Untold(why)) => Err(Box::new(misfit(visit, words(why)))),
    }
}

fn words(why: &str) -> &'static str {
    match why {
        "no-client" => "the application did not say which one it is (client_id)",
        "unknown-client" => {
            "no application with this client_id is declared here: compare the client-id in its settings with the one in its oidc block"
        }
        "no-redirect" => "the application did not say where to come back to (redirect_uri)",
        _ => {
            "the application wants to come back to an address that is not declared for it: compare its redirect_uri with the redirect-uri lines of its oidc block, letter by letter"
        }
    }
}

/// Nobody is sent anywhere.
fn misfit(visit: &Visit<'_>, detail: &str) -> Response<Body> {
    tracing::info!(detail, "an authorization request was not one of a declared client");
    let mut page = ErrorPage::new(ErrorKind::BadRequest);
    page.detail = Some(detail.to_owned());
    visit.error_with(page)
}

fn stale(visit: &Visit<'_>, stale: Stale) -> Response<Body> {
    misfit(
        visit,
        match stale {
            Stale::Foreign => {
                "this address is damaged: go back to the application and sign in from there"
            }
            Stale::Late => "this sign-in took too long: go back to the application and begin again",
            Stale::Gone => "the application is not declared here any more",
        },
    )
}

async fn go_on(visit: &Visit<'_>, invited: &Invited<'_>) -> Result<Response<Body>, Trouble> {
    let (server, runtime) = (visit.server, &visit.runtime);
    let Some(here) = invited.address(server) else {
        return Ok(visit.error(ErrorKind::Unavailable));
    };
    let by_way_of = |path: &str| reply::see_other(&flow::by_way_of(path, &here));
    let silent = |error: Told, why: &str| deliver(visit, &invited.refuse(runtime, error, why));
    let Some(sign_in) = visit.sign_in().await? else {
        return Ok(match invited.is_silent() {
            true => silent(Told::LoginRequired, "nobody is signed in"),
            false => by_way_of("/sign-in"),
        });
    };
    if invited.expects_another(server, runtime, &sign_in) {
        return Ok(silent(Told::LoginRequired, "somebody else is signed in"));
    }
    let entry = invited.entry(server, runtime, visit.client, &sign_in).await?;
    let wanted = match entry {
        Entry::SignIn | Entry::Presence => Told::LoginRequired,
        Entry::StepUp(_) => Told::InteractionRequired,
        Entry::Closed => Told::AccessDenied,
        Entry::Open => Told::ConsentRequired,
    };
    match entry {
        Entry::Open => {}
        _ if invited.is_silent() => return Ok(silent(wanted, "the person has to be asked first")),
        Entry::SignIn => return Ok(by_way_of("/sign-in")),
        Entry::StepUp(_) | Entry::Presence => return Ok(by_way_of("/step-up")),
        Entry::Closed => return Ok(denied(visit, invited.app, &sign_in)),
    }
    if let Some(elsewhere) = flow::agree_first(visit, &sign_in, &here).await? {
        return Ok(match invited.is_silent() {
            true => silent(wanted, "the person has to agree first"),
            false => elsewhere,
        });
    }
    let answer = invited.give_code(server, runtime, visit.client, &sign_in).await?;
    Ok(deliver(visit, &answer))
}

/// Known, and not let in: the page says so.
pub fn denied(visit: &Visit<'_>, app: &App, sign_in: &crate::session::SignIn) -> Response<Body> {
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let user = super::portal::shown(&standing, &profile);
    let data = serde_json::json!({ "by": "oidc", "address": visit.address() });
    let who = Some(profile.user.username.as_str());
    let reference = visit.server.journal.note("access.denied", who, Some(&app.slug), data);
    let page = Denied {
        app: app.title.clone(),
        reason: if standing.disabled { Denial::Disabled } else { Denial::NotAllowed },
        other_account: "/sign-out".to_owned(),
        reference: reference.unwrap_or_default(),
    };
    let wanted =
        For { user: Some(&user), ..For::sign_in_host(StatusCode::FORBIDDEN, &visit.parts.headers) };
    visit.page(wanted, &page)
}

/// Delivers an answer to the app.
pub fn deliver(visit: &Visit<'_>, answer: &Answer) -> Response<Body> {
    if answer.mode != Mode::FormPost {
        return reply::see_other(&answer.location());
    }
    let say = |key: &str| visit.say(key, None).unwrap_or_default();
    let words = posted_answer::Words {
        language: visit.language(None),
        title: say("back-to-app.title"),
        text: say("back-to-app.back"),
        submit: say("back-to-app.submit"),
    };
    posted_answer::page(answer, &words)
}
