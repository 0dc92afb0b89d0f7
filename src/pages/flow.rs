//! Flows, stage by stage. Each step comes back here, and `stages::next` says what is next.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Response, StatusCode};

use super::trouble::Trouble;
use super::visit::Visit;
use crate::flow::hashing::HashError;
use crate::flow::stages::Next;
use crate::model::factor::Factor;
use crate::runtime::app::App;
use crate::session::SignIn;
use crate::store::User;
use crate::web::csrf;
use crate::web::form::Form;
use crate::web::reply;
use crate::web::templates::{CSRF_FIELD, ErrorKind, ErrorPage};

/// A factor that was set up becomes the account's.
mod added;
/// What a person agrees to before they go on.
mod agreement;
/// A flow under way in one browser.
mod attempt;
/// A browser that was sent elsewhere and comes back.
mod away;
/// What decides whether a stage runs.
mod conditions;
/// An account elsewhere by which a person signs in.
mod connection;
/// The end of a flow inside a session.
mod done;
/// A proof by Duo.
mod duo;
/// A code by mail.
mod email_code;
/// What a flow is gone through for.
mod errand;
/// A proof with a second factor.
mod factor;
/// Who is it.
mod identification;
/// Who may come.
mod invitation;
/// The end of a sign-in.
mod login;
/// A link by mail proves who somebody is.
mod mail_link;
/// A new password, for whoever has to set one.
mod new_password;
/// A passkey in place of name and password.
mod passkey;
/// The first proof.
mod password;
/// A form as the flow declares it.
mod prompt;
/// Codes for when every factor is lost, shown once.
mod recovery_codes;
/// The browser that a person signed in with.
mod remember;
/// One step of a flow.
mod run;
/// Choosing what to set up.
mod set_up;
/// A new passkey.
mod set_up_passkey;
/// A new authenticator app.
mod set_up_totp;
/// A proof by another provider.
mod source;
/// What was filled in becomes an account.
mod user_write;
/// An address is shown to be somebody's.
mod verify_address;

pub use agreement::first as agree_first;
pub use duo::{BACK as DUO_BACK, come_back as come_back_from_duo};
pub use errand::is_fresh as fresh;
pub use set_up::kind as set_up_kind;
pub use source::{come_back as come_back_from_source, is_back as is_back_from_source, source_of};

use attempt::Attempt;
use errand::{Errand, Need};
use run::Run;

const NO_MAIL: &str = "No mail is sent from here. The person who runs this place can make you a \
    link by `doorward recover`.";

type Answer = Result<Response<Body>, Trouble>;

/// Whether flows are gone through at this path.
pub fn is_flow(path: &str) -> bool {
    Errand::of(path).is_some()
}

pub async fn get(visit: &Visit<'_>) -> Response<Body> {
    match show(visit).await {
        Ok(response) => response,
        Err(trouble) => visit.unavailable(&trouble),
    }
}

async fn show(visit: &Visit<'_>) -> Answer {
    if visit.query("restart").is_some() {
        return restart(visit).await;
    }
    if let Some((errand, token)) = by_link(visit) {
        return mail_link::open(visit, errand, &token).await;
    }
    match begin(visit).await? {
        Begun::At(run) if duo::brings_answer(visit) => duo::answer(*run).await,
        Begun::At(run) if source::brings_answer(visit) => source::answer(*run).await,
        Begun::At(run) => go_on(*run).await,
        Begun::Elsewhere(response) => Ok(response),
    }
}

/// The errand that a mailed link leads on to, and its token.
fn by_link(visit: &Visit<'_>) -> Option<(Errand, String)> {
    let errand = Errand::of(visit.path()).filter(|errand| !errand.is_inside_session())?;
    Some((errand, visit.query("link")?))
}

/// Where a visit finds itself.
enum Begun<'a> {
    At(Box<Run<'a>>),
    /// The flow is not needed, or something else comes before it.
    Elsewhere(Response<Body>),
}

async fn begin<'a>(visit: &'a Visit<'a>) -> Result<Begun<'a>, Trouble> {
    let elsewhere = |to: &str| Ok(Begun::Elsewhere(reply::see_other(to)));
    let Some(errand) = Errand::of(visit.path()) else { return elsewhere("/") };
    if errand == Errand::SignIn && visit.sign_in_for(app_of(visit)).await?.is_some() {
        return elsewhere(&visit.next());
    }
    let sign_in = visit.sign_in().await?.filter(|_| errand.is_inside_session());
    if errand.is_inside_session() && sign_in.is_none() {
        return elsewhere(&by_way_of("/sign-in", &action(visit)));
    }
    let need = Need::of(errand, visit, sign_in.as_ref()).await?;
    if errand == Errand::StepUp && need == Need::Nothing {
        return elsewhere(&visit.next());
    }
    if errand.flow(visit).is_none() {
        return Ok(Begun::Elsewhere(visit.error(ErrorKind::NotFound)));
    }
    let sign_in_ref = sign_in.as_deref();
    let attempt = match Attempt::resume(visit, errand, sign_in_ref).await? {
        Some(attempt) => attempt,
        None if errand == Errand::SetUp && !may_begin(visit, sign_in_ref).await? => {
            return elsewhere(&by_way_of("/step-up", &action(visit)));
        }
        None => Attempt::fresh(visit, errand, sign_in_ref)?,
    };
    if errand == Errand::Enroll && !source::may_enroll(visit, &attempt) {
        return Ok(Begun::Elsewhere(visit.error(ErrorKind::NotFound)));
    }
    let mut run = Run::new(visit, errand, attempt, sign_in, need).await?;
    if !run.attempt.progress.stands(&run.record.held) {
        run.attempt.drop(visit).await?;
        return Ok(Begun::Elsewhere(expired(visit)));
    }
    invitation::take_from_address(&mut run).await?;
    if visit.query("verify").is_some() && !run.attempt.is_stored() {
        return Ok(Begun::Elsewhere(verify_address::elsewhere(visit)));
    }
    Ok(Begun::At(Box::new(run)))
}

/// A factor is set up by whoever has proven their presence just now.
async fn may_begin(visit: &Visit<'_>, sign_in: Option<&SignIn>) -> Result<bool, Trouble> {
    match sign_in {
        Some(sign_in) => errand::is_fresh(visit, sign_in).await,
        None => Ok(false),
    }
}

pub async fn post(visit: &Visit<'_>, body: Body) -> Response<Body> {
    let Ok(form) = Form::read(body).await else { return visit.error(ErrorKind::BadRequest) };
    match answer(visit, &form).await {
        Ok(response) => response,
        Err(Trouble::Hash(HashError::Busy)) => {
            let mut page = ErrorPage::new(ErrorKind::Unavailable);
            page.retry = Some(action(visit));
            visit.error_with(page)
        }
        Err(trouble) => visit.unavailable(&trouble),
    }
}

/// A form of the flow itself, or one that a mailed link was confirmed by: each has its own token.
async fn answer(visit: &Visit<'_>, form: &Form) -> Answer {
    if let Some((errand, token)) = by_link(visit) {
        return mail_link::enter(visit, errand, &token, form).await;
    }
    if let Some(token) = visit.query("verify") {
        return verify(visit, form, &token).await;
    }
    if !visit.is_ours(visit.cookie(&visit.flow_cookie()), form.text(CSRF_FIELD)) {
        return Ok(stale(visit).await);
    }
    step(visit, form).await
}

async fn verify(visit: &Visit<'_>, form: &Form, token: &str) -> Answer {
    let mut run = match begin(visit).await? {
        Begun::At(run) => *run,
        Begun::Elsewhere(response) => return Ok(response),
    };
    let generation = Arc::clone(&run.attempt.generation);
    match run.next(&generation) {
        Some(Next::VerifyAddress { address, .. }) => {
            verify_address::enter(run, address, token, form).await
        }
        _ => Ok(run.attempt.turn(visit)),
    }
}

/// The form is out of date. In a second tab of a browser that has signed in since, it leads on.
async fn stale(visit: &Visit<'_>) -> Response<Body> {
    let own = visit.runtime.external.to_string();
    let from_us = csrf::is_same_origin(&visit.parts.headers, &own);
    match visit.sign_in().await {
        Ok(Some(_)) if from_us => reply::see_other(&visit.next()),
        _ => expired(visit),
    }
}

/// The form is not of this browser, or its sign-in is over: begin again, with a word about it.
fn expired(visit: &Visit<'_>) -> Response<Body> {
    let mut page = ErrorPage::new(ErrorKind::FormExpired);
    page.retry = Some(action(visit));
    visit.error_with(page)
}

async fn step(visit: &Visit<'_>, form: &Form) -> Answer {
    let mut run = match begin(visit).await? {
        Begun::At(run) => *run,
        Begun::Elsewhere(response) => return Ok(response),
    };
    // Only the first form of a sign-in may come without anything in the store.
    if !run.attempt.is_stored() && run.errand == Errand::SignIn && !is_first(form) {
        return Ok(expired(visit));
    }
    if form.text("leave") == "1" && run.attempt.progress.leave().is_some() {
        return run.save_and_turn().await;
    }
    let generation = Arc::clone(&run.attempt.generation);
    let Some(next) = run.next(&generation) else { return Ok(expired(visit)) };
    match next {
        Next::AskName(stage) if stage.passkey_autofill && !form.text("answer").is_empty() => {
            passkey::answer(run, form).await
        }
        Next::AskName(_) if source::is_undecided(&run) => source::answer_whose(run, form).await,
        Next::AskName(stage) if !form.text("source").is_empty() => {
            source::choose(run, stage, form.text("source")).await
        }
        Next::AskName(identification) => identification::answer(run, identification, form).await,
        Next::AskPassword { .. } if !form.text("source").is_empty() => {
            source::show_up(run, form.text("source")).await
        }
        Next::AskPassword { lockout } => password::answer(run, lockout, form).await,
        Next::AskNewPassword => new_password::answer(run, form).await,
        Next::AskFactor { classes, remembered } => {
            factor::answer(run, &classes, remembered, form).await
        }
        Next::ChooseSetUp { flows } => set_up::answer(run, &flows, form).await,
        Next::SetUpTotp { issuer, digits } => set_up_totp::answer(run, issuer, digits, form).await,
        Next::SetUpPasskey { verification, resident, attestation } => {
            let wish = set_up_passkey::wish(verification, resident, attestation);
            set_up_passkey::answer(run, wish, form).await
        }
        Next::ShowRecoveryCodes { .. } => recovery_codes::answer(run, form).await,
        Next::SetUpEmail => email_code::answer_set_up(run, form).await,
        Next::SetUpDuo => duo::answer_set_up(run).await,
        Next::AskInvitation => invitation::answer(run, form).await,
        Next::Prompt { fields } => prompt::answer(run, fields, form).await,
        Next::AskTerms { terms } => agreement::answer_terms(run, terms, form).await,
        Next::AskConsent { remember } => agreement::answer_consent(run, remember, form).await,
        Next::MailLink { lasts } => mail_link::answer(run, lasts).await,
        Next::VerifyAddress { lasts, address } => {
            verify_address::answer(run, lasts, &address).await
        }
        _ => go_on(run).await,
    }
}

fn is_first(form: &Form) -> bool {
    let given = |name: &str| !form.text(name).is_empty();
    given("username") || given("answer") || given("source") || !(given("password") || given("code"))
}

/// Forgets the flow of this browser and begins again.
async fn restart(visit: &Visit<'_>) -> Answer {
    let sign_in = visit.sign_in().await?;
    let errand = Errand::of(visit.path()).unwrap_or(Errand::SignIn);
    if let Some(attempt) = Attempt::resume(visit, errand, sign_in.as_deref()).await? {
        attempt.drop(visit).await?;
    }
    let mut response = reply::see_other(&action(visit));
    visit.set_cookie(&mut response, &visit.flow_cookie(), "", Some(Duration::ZERO));
    Ok(response)
}

/// A proof was given: what it leads to is shown by a redirect. A step-up that needs no more is over
/// at once, and nothing of it was ever written.
async fn proven(mut run: Run<'_>) -> Answer {
    if run.errand == Errand::StepUp && !run.attempt.is_stored() {
        let generation = Arc::clone(&run.attempt.generation);
        if let Some(Next::Done) = run.next(&generation) {
            return done::finish(run).await;
        }
    }
    run.save_and_turn().await
}

/// The dispatcher: shows what the flow asks for next, or ends it.
async fn go_on(mut run: Run<'_>) -> Answer {
    let generation = Arc::clone(&run.attempt.generation);
    let Some(next) = run.next(&generation) else { return Ok(expired(run.visit)) };
    match next {
        Next::AskName(_) if source::is_undecided(&run) => source::ask_whose(&run),
        Next::AskName(identification) => identification::ask(&run, identification, None),
        Next::AskPassword { .. } => password::ask(&run, None).await,
        Next::AskNewPassword => Ok(new_password::ask(&run, &[])),
        Next::AskFactor { classes, remembered } => {
            let class = factor::wanted(&classes, run.visit.query("with").as_deref());
            if class == Factor::EmailCode
                && let Some(elsewhere) = email_code::send_first(&mut run).await?
            {
                return Ok(elsewhere);
            }
            factor::ask(&run, factor::Ask { class, classes: &classes, remembered, problem: None })
        }
        Next::ChooseSetUp { flows } => Ok(set_up::ask(&run, &flows)),
        Next::SetUpTotp { issuer, digits } => set_up_totp::ask(run, issuer, digits, None).await,
        Next::SetUpPasskey { verification, resident, attestation } => {
            let wish = set_up_passkey::wish(verification, resident, attestation);
            set_up_passkey::ask(&run, wish, None)
        }
        Next::ShowRecoveryCodes { count } => recovery_codes::ask(run, count).await,
        Next::SetUpEmail => email_code::ask_set_up(run, None).await,
        Next::SetUpDuo => duo::ask_set_up(&run, None),
        Next::AskInvitation => Ok(invitation::ask(&run, false)),
        Next::Prompt { fields } => Ok(prompt::ask(&run, fields)),
        Next::AskTerms { terms } => agreement::ask_terms(&run, &terms, false),
        Next::AskConsent { remember } => agreement::ask_consent(&run, remember),
        Next::MailLink { .. } | Next::VerifyAddress { .. } if !sends_mail(run.visit) => {
            Ok(no_mail(run.visit))
        }
        Next::MailLink { lasts } => mail_link::ask(run, lasts).await,
        Next::VerifyAddress { lasts, address } => verify_address::ask(run, lasts, &address).await,
        Next::Write { groups } => user_write::perform(run, groups).await,
        Next::Lacks { classes } => Ok(factor::lacks(&run, &classes)),
        Next::SignIn { .. } if run.errand != Errand::SignIn => login::hand_over(run).await,
        Next::SignIn { stay } => login::finish(run, stay).await,
        Next::Done => done::finish(run).await,
        Next::Refuse { text } => {
            run.attempt.drop(run.visit).await?;
            let mut page = ErrorPage::new(ErrorKind::BadRequest);
            page.status = StatusCode::FORBIDDEN.as_u16();
            page.detail = Some(text.to_owned());
            Ok(run.visit.error_with(page))
        }
        Next::Stuck { at, reason } => {
            let place = run.attempt.generation.sources.place(at);
            tracing::error!(place, reason, "a sign-in cannot go on");
            Ok(run.visit.error(ErrorKind::Internal))
        }
    }
}

fn sends_mail(visit: &Visit<'_>) -> bool {
    crate::mail::is_configured(&visit.runtime)
}

/// No file says how mail is sent, so a link is made on the host.
fn no_mail(visit: &Visit<'_>) -> Response<Body> {
    tracing::warn!(
        path = visit.path(),
        "a flow ended: it mails a link, and no `email` is declared"
    );
    let mut page = ErrorPage::new(ErrorKind::Unavailable);
    page.detail = Some(NO_MAIL.to_owned());
    visit.error_with(page)
}

fn too_many(visit: &Visit<'_>, wait: Duration) -> Response<Body> {
    visit.too_many(wait, action(visit))
}

/// The app that the sign-in leads to, if it began at one.
fn app_of<'v>(visit: &'v Visit<'_>) -> Option<&'v App> {
    visit.onward().map(|onward| onward.app())
}

/// The address that forms of this flow are posted to: it holds where to go on.
fn action(visit: &Visit<'_>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["flow", "invitation"] {
        if let Some(value) = visit.query(name) {
            query.append_pair(name, &value);
        }
    }
    let next = visit.next();
    if next != "/" {
        query.append_pair("next", &next);
    }
    match query.finish().as_str() {
        "" => visit.path().to_owned(),
        query => format!("{}?{query}", visit.path()),
    }
}

/// The address of another flow that comes back to `next`.
pub fn by_way_of(path: &str, next: &str) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    format!("{path}?{}", query.append_pair("next", next).finish())
}

/// The same address with one more value in its query.
fn with(address: &str, pair: &str) -> String {
    let joiner = if address.contains('?') { '&' } else { '?' };
    format!("{address}{joiner}{pair}")
}

/// A disabled account fails like a wrong password.
fn is_enabled(visit: &Visit<'_>, user: &User) -> bool {
    crate::session::is_enabled(&visit.runtime, user)
}
