//! Answers: pages, redirects and the headers that all of them bear.

use axum::body::Body;
use http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION,
    REFERRER_POLICY, SET_COOKIE, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use super::cookies::NewCookie;
use super::csp::PageClass;
use super::server::Server;
use super::templates::{Brand, FooterLink, Frame, Page, Person, Place, Templates};
use crate::blueprint::settings;
use crate::runtime::Runtime;

/// What a page is rendered for.
#[derive(Clone, Copy, Debug)]
pub struct For<'a> {
    pub class: PageClass,
    pub status: StatusCode,
    pub user: Option<&'a Person>,
    /// The form token, on pages that hold a form.
    pub csrf: Option<&'a str>,
    /// What came with the request: the browser says which language it wants.
    pub headers: &'a HeaderMap,
    /// The host of the app that this is about: it chooses the look.
    pub host: Option<&'a str>,
}

impl<'a> For<'a> {
    /// A page of the sign-in host without a form.
    #[must_use]
    pub fn sign_in_host(status: StatusCode, headers: &'a HeaderMap) -> Self {
        let class = PageClass::SignInHost;
        Self { class, status, user: None, csrf: None, headers, host: None }
    }

    /// A page on an application's host.
    #[must_use]
    pub fn app_host(status: StatusCode, headers: &'a HeaderMap) -> Self {
        let class = PageClass::AppHost;
        Self { class, status, user: None, csrf: None, headers, host: None }
    }
}

/// Renders a page. A theme that fails at it is said in the log, and the visitor gets plain words.
#[must_use]
pub fn page<P: Page>(
    server: &Server,
    runtime: &Runtime,
    wanted: For<'_>,
    page: &P,
) -> Response<Body> {
    let declared = runtime.brand(wanted.host);
    let looks = server.looks.load();
    let templates = looks.of(declared);
    let brand = brand(declared, templates);
    let external = runtime.external.to_string();
    let (place, home) = match wanted.class {
        PageClass::AppHost => (Place::AppHost, format!("{external}/")),
        PageClass::SignInHost | PageClass::OnwardToApp => (Place::SignInHost, "/".to_owned()),
    };
    let chosen = wanted.user.and_then(|user| user.language.as_deref());
    let frame = Frame {
        brand: &brand,
        language: templates.language(chosen, wanted.headers),
        banner: server.listening.banner.as_deref(),
        user: wanted.user,
        home: &home,
        place,
        csrf: wanted.csrf,
    };
    let html = templates.render(&frame, page).unwrap_or_else(|error| {
        tracing::error!(%error, template = P::TEMPLATE, "a page could not be rendered");
        format!("<!doctype html><title>Doorward</title><p>{}", wanted.status)
    });
    let mut response = text(wanted.status, "text/html; charset=utf-8", html);
    if let Ok(language) = HeaderValue::from_str(frame.language) {
        response.headers_mut().insert(CONTENT_LANGUAGE, language);
    }
    let policy = templates.policies().value(wanted.class);
    if let Ok(policy) = HeaderValue::from_str(policy) {
        response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The name and marks of a brand in its look.
#[must_use]
pub fn brand(declared: Option<&settings::Brand>, look: &Templates) -> Brand {
    let link = |link: &settings::FooterLink| FooterLink {
        text: link.text.clone(),
        url: link.url.value.clone(),
    };
    let marks = look.assets().marks();
    let plain = Brand::plain();
    Brand {
        title: declared.and_then(|brand| brand.title.clone()).unwrap_or(plain.title),
        footer: declared.map(|brand| brand.footer.iter().map(link).collect()).unwrap_or_default(),
        logo: marks.logo.clone(),
        favicon: marks.favicon.clone(),
    }
}

/// A body with the headers that every answer of ours bears.
#[must_use]
pub fn text(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
) -> Response<Body> {
    let mut response = bare(status, body.into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// A JSON body.
#[must_use]
pub fn json(status: StatusCode, value: &serde_json::Value) -> Response<Body> {
    text(status, "application/json", value.to_string())
}

/// Nothing but a status.
#[must_use]
pub fn empty(status: StatusCode) -> Response<Body> {
    bare(status, Body::empty())
}

/// A redirect to an absolute address, or to a path of this host.
#[must_use]
pub fn redirect(status: StatusCode, to: &str) -> Response<Body> {
    let mut response = empty(status);
    match HeaderValue::from_str(to) {
        Ok(location) => {
            response.headers_mut().insert(LOCATION, location);
            response
        }
        Err(_) => empty(StatusCode::BAD_REQUEST),
    }
}

/// 303: whatever the method was, the next request is a GET.
#[must_use]
pub fn see_other(to: &str) -> Response<Body> {
    redirect(StatusCode::SEE_OTHER, to)
}

fn bare(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Adds a cookie to an answer.
pub fn set_cookie(response: &mut Response<Body>, cookie: NewCookie<'_>) {
    if let Some(header) = cookie.header() {
        response.headers_mut().append(SET_COOKIE, header);
    }
}

/// Tells browsers to come back over TLS alone (RFC 6797).
pub fn keep_secure(response: &mut Response<Body>) {
    let value = HeaderValue::from_static("max-age=31536000");
    response.headers_mut().insert(STRICT_TRANSPORT_SECURITY, value);
}
