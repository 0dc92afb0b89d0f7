//! Letting a device in that has no keyboard (RFC 8628 §3.3): type what it shows, see what it is, agree.

use std::sync::Arc;

use axum::body::Body;
use http::{Response, StatusCode};

use super::sign_out::csrf_token;
use super::trouble::Trouble;
use super::visit::Visit;
use super::{authorize, flow, portal};
use crate::entry::Entry;
use crate::flow::attempts::{Guesses, Taken};
use crate::oidc::DEVICE;
use crate::oidc::authorize::shares;
use crate::oidc::device::Device;
use crate::session::SignIn;
use crate::web::form::Form;
use crate::web::reply::{self, For};
use crate::web::templates::{
    CSRF_FIELD, ConfirmDevice, DeviceAnswered, ErrorKind, Page, TypeDeviceCode,
};

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match look(visit).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    if !visit.is_ours(visit.cookie(&visit.session_cookie()), form.text(CSRF_FIELD)) {
        return visit.error(ErrorKind::FormExpired);
    }
    match answer(visit, &form).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn look(visit: &Visit<'_>) -> Result<Response<Body>, Trouble> {
    let here = visit.parts.uri.path_and_query().map_or(DEVICE, |asked| asked.as_str());
    let Some(sign_in) = visit.sign_in().await? else {
        return Ok(reply::see_other(&flow::by_way_of("/sign-in", here)));
    };
    match typed(visit, &sign_in) {
        Some(device) => match barred(visit, &device, &sign_in, here).await? {
            Some(elsewhere) => Ok(elsewhere),
            None => Ok(confirm(visit, &device, &sign_in)),
        },
        None => Ok(ask(visit, &sign_in, None)),
    }
}

/// What this person typed, if the address holds it.
fn typed<'v>(visit: &'v Visit<'_>, sign_in: &Arc<SignIn>) -> Option<Device<'v>> {
    let query = visit.parts.uri.query().unwrap_or("");
    let device = Device::of_query(visit.server, &visit.runtime, query);
    device.filter(|device| device.is_of(sign_in))
}

/// What stands between this person and the app.
async fn barred(
    visit: &Visit<'_>,
    device: &Device<'_>,
    sign_in: &Arc<SignIn>,
    here: &str,
) -> Result<Option<Response<Body>>, Trouble> {
    let by_way_of = |path: &str| Some(reply::see_other(&flow::by_way_of(path, here)));
    Ok(match device.entry(visit.server, &visit.runtime, visit.client, sign_in).await {
        Entry::SignIn => by_way_of("/sign-in"),
        Entry::StepUp(_) | Entry::Presence => by_way_of("/step-up"),
        Entry::Closed => Some(authorize::denied(visit, device.app, sign_in)),
        Entry::Open => flow::agree_first(visit, sign_in, here).await?,
    })
}

async fn answer(visit: &Visit<'_>, form: &Form) -> Result<Response<Body>, Trouble> {
    let Some(sign_in) = visit.sign_in().await? else {
        return Ok(reply::see_other(&flow::by_way_of("/sign-in", DEVICE)));
    };
    let Some(device) = typed(visit, &sign_in) else { return type_in(visit, &sign_in, form).await };
    let here = visit.parts.uri.path_and_query().map_or(DEVICE, |asked| asked.as_str());
    let allows = form.text("do") == "allow";
    let answered = match allows {
        false => device.refuse(visit.server).await?,
        // The rules are asked at this moment as well.
        true => match barred(visit, &device, &sign_in, here).await? {
            Some(elsewhere) => return Ok(elsewhere),
            None => device.approve(visit.server, visit.client, &sign_in).await?,
        },
    };
    match answered {
        true => {
            let page = DeviceAnswered { app: device.app.title.clone(), is_let_in: allows };
            Ok(shown(visit, &sign_in, StatusCode::OK, &page))
        }
        false => Ok(ask(visit, &sign_in, Some(Problem::Unknown))),
    }
}

/// Why a code leads nowhere.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Problem {
    Unknown,
    TooMany,
}

/// Somebody typed a code. Wrong ones are counted for each person: a stranger's device is not to be had
/// by trying.
async fn type_in(
    visit: &Visit<'_>,
    sign_in: &Arc<SignIn>,
    form: &Form,
) -> Result<Response<Body>, Trouble> {
    let server = visit.server;
    let now = server.clock.now();
    let key = format!("device:{}", sign_in.account.id());
    if server.tokens.closed_until(&key, now).is_some() {
        return Ok(ask(visit, sign_in, Some(Problem::TooMany)));
    }
    let guesses = Guesses::at_key(key.clone());
    if let Taken::Wait(wait) = guesses.take(&server.store, now).await? {
        server.tokens.close(key, now.plus(wait));
        return Ok(ask(visit, sign_in, Some(Problem::TooMany)));
    }
    let found = Device::find(server, &visit.runtime, sign_in, form.text("code")).await?;
    let Some(device) = found else { return Ok(ask(visit, sign_in, Some(Problem::Unknown))) };
    guesses.give_back(&server.store).await?;
    match device.address(server) {
        Some(address) => Ok(reply::see_other(&address)),
        None => Ok(visit.error(ErrorKind::Unavailable)),
    }
}

fn ask(visit: &Visit<'_>, sign_in: &Arc<SignIn>, problem: Option<Problem>) -> Response<Body> {
    let (status, problem) = match problem {
        None => (StatusCode::OK, None),
        Some(Problem::Unknown) => (StatusCode::UNPROCESSABLE_ENTITY, Some("unknown")),
        Some(Problem::TooMany) => (StatusCode::TOO_MANY_REQUESTS, Some("too-many")),
    };
    let page = TypeDeviceCode { problem: problem.map(str::to_owned), action: DEVICE.to_owned() };
    shown(visit, sign_in, status, &page)
}

/// Always, whatever the files say: nobody but the person knows whose device it is (`security.md` R19).
fn confirm(visit: &Visit<'_>, device: &Device<'_>, sign_in: &Arc<SignIn>) -> Response<Body> {
    let (address, at) = device.origin();
    let page = ConfirmDevice {
        app: device.app.title.clone(),
        shares: shares(device.app, device.scopes()).into_iter().map(str::to_owned).collect(),
        address: address.to_owned(),
        at: at.minute(),
        action: visit.parts.uri.path_and_query().map_or(DEVICE, |it| it.as_str()).to_owned(),
    };
    shown(visit, sign_in, StatusCode::OK, &page)
}

fn shown<P: Page>(
    visit: &Visit<'_>,
    sign_in: &Arc<SignIn>,
    status: StatusCode,
    page: &P,
) -> Response<Body> {
    let profile = sign_in.account.profile();
    let standing = profile.standing(&visit.runtime);
    let user = portal::shown(&standing, &profile);
    let token = csrf_token(visit);
    let wanted = For {
        user: Some(&user),
        csrf: token.as_deref(),
        ..For::sign_in_host(status, &visit.parts.headers)
    };
    visit.page(wanted, page)
}
