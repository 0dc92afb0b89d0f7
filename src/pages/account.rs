//! What a person sees and changes of their own account, one room for each concern.
//!
//! It never takes a person's word for who they are: a room is entered by a sign-in, and what matters
//! is changed by whoever has proven their presence just now (`security.md` R9).

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};

use super::trouble::Trouble;
use super::visit::Visit;
use super::{flow, portal, sign_out};
use crate::flow::hashing::HashError;
use crate::session::SignIn;
use crate::store::User;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage, Page};

/// What happened to the account.
mod activity;
/// A new password in place of the old one.
mod password;
/// Name and language, and what the files say.
mod profile;
/// What the account is proven by, and where it is signed in.
mod security;
/// App passwords and API tokens.
mod tokens;

type Answer = Result<Response<Body>, Trouble>;

/// A page of the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Profile,
    Password,
    Security,
    Tokens,
    Activity,
}

impl Room {
    pub fn of(path: &str) -> Option<Self> {
        let all = [Self::Profile, Self::Password, Self::Security, Self::Tokens, Self::Activity];
        all.into_iter().find(|room| room.path() == path)
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Profile => "/profile",
            Self::Password => "/password",
            Self::Security => "/security",
            Self::Tokens => "/tokens",
            Self::Activity => "/activity",
        }
    }
}

/// A visit by the person whose account it is.
struct Own<'a> {
    visit: &'a Visit<'a>,
    sign_in: Arc<SignIn>,
}

pub async fn get(visit: &Visit<'_>, room: Room) -> Response<Body> {
    match look(visit, room).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn look(visit: &Visit<'_>, room: Room) -> Answer {
    let asked = visit.parts.uri.path_and_query().map_or(visit.path(), |asked| asked.as_str());
    let Some(own) = Own::of(visit).await? else { return Ok(sign_in_first(asked)) };
    match room {
        Room::Profile => profile::show(&own, None),
        Room::Password => password::look(&own).await,
        Room::Security => security::show(&own, None).await,
        Room::Tokens => tokens::look(&own).await,
        Room::Activity => activity::show(&own).await,
    }
}

pub async fn post(visit: &Visit<'_>, room: Room, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    if !visit.is_ours(visit.cookie(&visit.session_cookie()), form.text(CSRF_FIELD)) {
        let mut page = ErrorPage::new(ErrorKind::FormExpired);
        page.retry = Some(room.path().to_owned());
        return visit.error_with(page);
    }
    match change(visit, room, &form).await {
        Ok(response) => response,
        Err(Trouble::Hash(HashError::Busy)) => {
            let mut page = ErrorPage::new(ErrorKind::Unavailable);
            page.retry = Some(room.path().to_owned());
            visit.error_with(page)
        }
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn change(visit: &Visit<'_>, room: Room, form: &Form) -> Answer {
    let Some(own) = Own::of(visit).await? else { return Ok(sign_in_first(room.path())) };
    match room {
        Room::Profile => profile::change(&own, form).await,
        Room::Password => password::change(&own, form).await,
        Room::Security => security::change(&own, form).await,
        Room::Tokens => tokens::change(&own, form).await,
        Room::Activity => Ok(reply::empty(StatusCode::METHOD_NOT_ALLOWED)),
    }
}

/// The way to `path` leads through the sign-in.
fn sign_in_first(path: &str) -> Response<Body> {
    reply::see_other(&flow::by_way_of("/sign-in", path))
}

/// The way to `path` leads through a proof of presence.
fn prove_first(path: &str) -> Response<Body> {
    reply::see_other(&flow::by_way_of("/step-up", path))
}

/// Where a flow sets something up and comes back.
fn set_up(flow: &str, next: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("flow", flow).append_pair("next", next);
    format!("/set-up?{}", query.finish())
}

impl<'a> Own<'a> {
    async fn of(visit: &'a Visit<'a>) -> Result<Option<Self>, Trouble> {
        let sign_in = visit.sign_in_for(None).await?;
        Ok(sign_in.map(|sign_in| Self { visit, sign_in }))
    }

    fn id(&self) -> &str {
        self.sign_in.account.id()
    }

    fn user(&self) -> User {
        self.sign_in.account.profile().user.clone()
    }

    /// Whether this session has seen a proof just now.
    async fn is_fresh(&self) -> Result<bool, Trouble> {
        flow::fresh(self.visit, &self.sign_in).await
    }

    /// A page of the account; with a problem it is no success.
    fn page<P: Page>(&self, page: &P, has_problem: bool) -> Response<Body> {
        let profile = self.sign_in.account.profile();
        let standing = profile.standing(&self.visit.runtime);
        let user = portal::shown(&standing, &profile);
        let csrf = sign_out::csrf_token(self.visit);
        let status = match has_problem {
            true => StatusCode::UNPROCESSABLE_ENTITY,
            false => StatusCode::OK,
        };
        let wanted = For {
            user: Some(&user),
            csrf: csrf.as_deref(),
            ..For::sign_in_host(status, &self.visit.parts.headers)
        };
        self.visit.page(wanted, page)
    }
}
