//! `recovery-codes`: for when every other factor is lost. Shown once, kept as digests.

use super::{Answer, Run, action, expired};
use crate::factor::recovery_code;
use crate::secret::Secret;
use crate::web::form::Form;
use crate::web::templates::RecoveryCodes;

/// Shows the codes. They are the account's once the person says that they have them.
pub async fn ask(mut run: Run<'_>, count: Option<u32>) -> Answer {
    let codes = match run.pending::<Vec<String>>() {
        Some(codes) => codes,
        None => {
            let count = count.unwrap_or(recovery_code::COUNT);
            let codes = recovery_code::generate(count, &run.visit.server.rng)?;
            let codes: Vec<String> = codes.iter().map(|code| code.reveal().to_owned()).collect();
            run.set_pending(&codes)?;
            if let Some(elsewhere) = run.keep().await? {
                return Ok(elsewhere);
            }
            codes
        }
    };
    let page = RecoveryCodes { who: run.who(), codes, action: action(run.visit) };
    Ok(run.ask(&page, false))
}

pub async fn answer(mut run: Run<'_>, form: &Form) -> Answer {
    let visit = run.visit;
    let server = visit.server;
    let codes = run.pending::<Vec<String>>().filter(|_| form.text("saved") == "1");
    let (Some(codes), Some(id)) = (codes, run.attempt.progress.user_id.clone()) else {
        return Ok(run.attempt.turn(visit));
    };
    let codes: Vec<Secret> = codes.into_iter().map(Secret::new).collect();
    let digest = |code: &Secret| recovery_code::digest(&server.key, &id, code.reveal());
    let digests: Vec<_> = codes.iter().map(digest).collect();
    run.attempt.progress.pending = None;
    run.attempt.progress.advance();
    let now = server.clock.now();
    let mut tx = server.store.begin().await?;
    if !tx.hold_account(&id).await? {
        return Ok(expired(visit));
    }
    if !run.attempt.advance(&mut tx, now).await? {
        return Ok(run.attempt.turn(visit));
    }
    tx.put_recovery_codes(&id, &digests, now).await?;
    tx.commit().await?;
    let data = serde_json::json!({ "count": digests.len(), "address": visit.address() });
    server.journal.note("recovery-codes.made", Some(&run.who()), None, data);
    Ok(run.attempt.turn(visit))
}
