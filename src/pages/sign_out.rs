//! Signing out, everywhere at once. A link from elsewhere is asked about first (`security.md` R13).

use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::visit::Visit;
use crate::web::csp::PageClass;
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage, SignOut, SignedOut};

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match visit.sign_in().await {
        Ok(Some(sign_in)) => {
            let profile = sign_in.account.profile();
            let standing = profile.standing(&visit.runtime);
            let user = super::portal::shown(&standing, &profile);
            let page = SignOut { action: "/sign-out".to_owned(), cancel: "/".to_owned() };
            let token = csrf_token(visit);
            let class = PageClass::SignInHost;
            let wanted = For {
                class,
                user: Some(&user),
                csrf: token.as_deref(),
                ..For::sign_in_host(StatusCode::OK, &visit.parts.headers)
            };
            visit.page(wanted, &page)
        }
        Ok(None) => signed_out(visit),
        Err(error) => visit.unavailable(&error),
    }
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
    if let Some(sign_in) = sign_in {
        if let Err(error) = visit.server.sessions.end(&sign_in).await {
            return visit.unavailable(&error);
        }
        let profile = sign_in.account.profile();
        let who = Some(profile.user.username.as_str());
        visit.server.journal.note("logout", who, None, serde_json::json!({}));
    }
    let mut response = reply::see_other("/sign-out");
    visit.set_cookie(&mut response, &visit.session_cookie(), "", Some(Duration::ZERO));
    response
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
