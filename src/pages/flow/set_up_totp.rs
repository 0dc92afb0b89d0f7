//! `authenticator-totp`: an authenticator app becomes a factor once it has shown a right code.

use qrcode::QrCode;
use qrcode::render::svg;

use super::{Answer, Run, Trouble, action, added};
use crate::factor::totp::{DIGITS, Totp};
use crate::flow::attempts::{Guesses, Taken};
use crate::model::factor::Factor;
use crate::secret::Secret;
use crate::store;
use crate::web::form::Form;
use crate::web::templates::{FactorProblem, SetUpTotp};
use crate::web::visitor;

/// Shows the secret. It is made once, so that a page shown again shows the same.
pub async fn ask(
    mut run: Run<'_>,
    issuer: Option<&str>,
    digits: Option<u32>,
    problem: Option<FactorProblem>,
) -> Answer {
    let totp = match run.pending() {
        Some(totp) => totp,
        None => {
            let digits = digits.and_then(|digits| u8::try_from(digits).ok()).unwrap_or(DIGITS);
            let totp = Totp::generate(&run.visit.server.rng, digits)?;
            run.set_pending(&totp)?;
            if let Some(elsewhere) = run.keep().await? {
                return Ok(elsewhere);
            }
            totp
        }
    };
    let runtime = &run.visit.runtime;
    let brand = runtime.brand(None).and_then(|brand| brand.title.as_deref());
    let url = totp.url(issuer.or(brand).unwrap_or("Doorward"), &run.who());
    let page = SetUpTotp {
        who: run.who(),
        secret: totp.shown().reveal().to_owned(),
        url: url.as_ref().map(|url| url.reveal().to_owned()),
        qr: url.as_ref().and_then(drawing),
        error: problem,
        may_leave: run.may_leave(),
        cancel: run.cancel(),
        action: action(run.visit),
    };
    Ok(run.ask(&page, problem.is_some()))
}

/// The address as a drawing, in the page's own colours.
fn drawing(url: &Secret) -> Option<String> {
    let code = QrCode::new(url.reveal().as_bytes()).ok()?;
    let drawn = code
        .render::<svg::Color<'_>>()
        .dark_color(svg::Color("#000"))
        .light_color(svg::Color("#fff"))
        .min_dimensions(220, 220)
        .build();
    drawn.find("<svg").and_then(|start| drawn.get(start..)).map(str::to_owned)
}

pub async fn answer(
    run: Run<'_>,
    issuer: Option<&str>,
    digits: Option<u32>,
    form: &Form,
) -> Answer {
    let server = run.visit.server;
    let now = server.clock.now();
    let Some(totp) = run.pending::<Totp>() else { return ask(run, issuer, digits, None).await };
    let given = form.text("code");
    if given.is_empty() {
        return ask(run, issuer, digits, Some(FactorProblem::Missing)).await;
    }
    let user_id = run.attempt.progress.user_id.clone().unwrap_or_default();
    let guesses = Guesses::at_code(&user_id, visitor::address_key(run.visit.client));
    if let Taken::Wait(wait) = guesses.take(&server.store, now).await? {
        return Ok(super::too_many(run.visit, wait));
    }
    let Some(step) = totp.step_of(given, now) else {
        return ask(run, issuer, digits, Some(FactorProblem::Wrong)).await;
    };
    guesses.succeeded(&server.store).await?;
    let factor = row(&run, &user_id, &totp, step)?;
    added::keep(run, factor).await
}

fn row(run: &Run<'_>, user_id: &str, totp: &Totp, step: i64) -> Result<store::Factor, Trouble> {
    let server = run.visit.server;
    let now = server.clock.now();
    let id = server.rng.id("fac", now)?;
    Ok(store::Factor {
        user_id: user_id.to_owned(),
        kind: Factor::Totp,
        name: run.name_for(Factor::Totp),
        credential: None,
        sealed: crate::factor::seal(&server.key, &server.rng, &id, totp)?,
        // The code that was just given is used.
        counter: step,
        created_at: now,
        used_at: None,
        id,
    })
}
