//! Signing out, everywhere at once. A link from elsewhere is asked about first (`security.md` R13).

use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::trouble::Trouble;
use super::visit::Visit;
use crate::oidc::end_session::EndSession;
use crate::oidc::logout;
use crate::session::SignIn;
use crate::web::csp::PageClass;
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage, SignOut, SignedOut};

/// The page that tells applications in the browser.
mod frames;

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match visit.sign_in().await {
        Ok(Some(sign_in)) => ask(visit, &sign_in, "/sign-out"),
        Ok(None) => signed_out(visit),
        Err(error) => visit.unavailable(&error),
    }
}

/// Asks whether somebody wants to leave.
fn ask(visit: &Visit<'_>, sign_in: &SignIn, action: &str) -> Response<Body> {
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let user = super::portal::shown(&standing, &profile);
    let page = SignOut { action: action.to_owned(), cancel: "/".to_owned() };
    let token = csrf_token(visit);
    // A form that ends at an app would be stopped by `form-action`.
    let class = match action {
        "/sign-out" => PageClass::SignInHost,
        _ => PageClass::OnwardToApp,
    };
    let wanted = For {
        class,
        user: Some(&user),
        csrf: token.as_deref(),
        ..For::sign_in_host(StatusCode::OK, &visit.parts.headers)
    };
    visit.page(wanted, &page)
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    if !visit.is_ours(visit.cookie(&visit.session_cookie()), form.text(CSRF_FIELD)) {
        let mut page = ErrorPage::new(ErrorKind::FormExpired);
        page.retry = Some("/sign-out".to_owned());
        return visit.error_with(page);
    }
    let sign_in = match visit.sign_in().await {
        Ok(sign_in) => sign_in,
        Err(error) => return visit.unavailable(&error),
    };
    let mut response = reply::see_other("/sign-out");
    if let Some(sign_in) = sign_in {
        response = match end(visit, &sign_in, "/sign-out").await {
            Ok(response) => response,
            Err(trouble) => return visit.unavailable(&trouble),
        };
        let profile = sign_in.account.profile();
        let who = Some(profile.user.username.as_str());
        visit.server.journal.note("logout", who, None, serde_json::json!({}));
    }
    visit.set_cookie(&mut response, &visit.session_cookie(), "", Some(Duration::ZERO));
    response
}

/// By a link of an app's (OIDC RP-Initiated Logout §2).
pub async fn by_app(visit: &Visit<'_>) -> Response<Body> {
    match Form::of_query(visit.parts.uri.query().unwrap_or("")) {
        Ok(form) => end_for_app(visit, &form, false).await,
        Err(_) => visit.error(ErrorKind::BadRequest),
    }
}

/// The same by a form: the app's, or our own that asked first.
pub async fn by_app_posted(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    match form.exact(CSRF_FIELD) {
        None => end_for_app(visit, &form, false).await,
        Some(token) if visit.is_ours(visit.cookie(&visit.session_cookie()), token) => {
            match Form::of_query(visit.parts.uri.query().unwrap_or("")) {
                Ok(asked) => end_for_app(visit, &asked, true).await,
                Err(_) => visit.error(ErrorKind::BadRequest),
            }
        }
        Some(_) => visit.error(ErrorKind::FormExpired),
    }
}

/// Ends the sign-in and goes back to the app. Whoever came by a link that shows no token of this very
/// sign-in is asked first (`security.md` R13).
async fn end_for_app(visit: &Visit<'_>, form: &Form, confirmed: bool) -> Response<Body> {
    let Ok(asked) = EndSession::read(visit.server, &visit.runtime, form) else {
        let mut page = ErrorPage::new(ErrorKind::BadRequest);
        page.detail = Some(
            "the application wants to go on to an address that is not declared for it: compare it \
             with the post-logout-redirect-uri lines of its oidc block"
                .to_owned(),
        );
        return visit.error_with(page);
    };
    let sign_in = match visit.sign_in().await {
        Ok(sign_in) => sign_in,
        Err(error) => return visit.unavailable(&error),
    };
    let next = asked.back_to.as_deref().unwrap_or("/sign-out");
    let mut response = reply::see_other(next);
    if let Some(sign_in) = &sign_in {
        if !confirmed && !asked.means(visit.server, &visit.runtime, sign_in) {
            return ask(visit, sign_in, &again(form));
        }
        response = match end(visit, sign_in, next).await {
            Ok(response) => response,
            Err(trouble) => return visit.unavailable(&trouble),
        };
        let profile = sign_in.account.profile();
        let (who, app) = (Some(profile.user.username.as_str()), asked.app.map(|app| &*app.slug));
        visit.server.journal.note("logout", who, app, serde_json::json!({}));
    }
    visit.set_cookie(&mut response, &visit.session_cookie(), "", Some(Duration::ZERO));
    response
}

/// Ends a sign-in, and leads on: by way of the applications that want their browser to hear of it.
async fn end(visit: &Visit<'_>, sign_in: &SignIn, next: &str) -> Result<Response<Body>, Trouble> {
    let server = visit.server;
    let addresses = logout::front_channel(server, &visit.runtime, sign_in).await?;
    server.sessions.end(sign_in).await?;
    Ok(match addresses.is_empty() {
        true => reply::see_other(next),
        false => frames::page(visit, &addresses, next),
    })
}

/// The same question by its address, for the form that asks first.
fn again(form: &Form) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"] {
        if let Some(value) = form.exact(name) {
            query.append_pair(name, value);
        }
    }
    format!("{}?{}", crate::oidc::END_SESSION, query.finish())
}

/// The form token of a signed-in browser.
pub fn csrf_token(visit: &Visit<'_>) -> Option<String> {
    let cookie = visit.session_cookie();
    visit.cookie(&cookie).map(|cookie| csrf::token(&visit.server.key, cookie))
}

fn signed_out(visit: &Visit<'_>) -> Response<Body> {
    let page = SignedOut { again: "/sign-in".to_owned() };
    visit.page(For::sign_in_host(StatusCode::OK, &visit.parts.headers), &page)
}
