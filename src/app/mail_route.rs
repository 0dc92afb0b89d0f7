//! The way to the mail server, as the files and the host say at this moment.

use super::options::Options;
use super::secrets::Secrets;
use crate::blueprint::Blueprint;
use crate::mail::letter;
use crate::mail::route::{Login, Route};
use crate::mail::smtp::Failure;

/// Everything that is needed to hand mail in. Passwords and certificates are read each time, so
/// that one that is renewed is used without a word.
///
/// # Errors
/// If the files do not say how mail is sent, or what they name is not there.
pub fn route(options: &Options, blueprint: &Blueprint) -> Result<Route, Failure> {
    let Some(email) = &blueprint.email else {
        return Err(Failure::settings(
            "no file says how mail is sent",
            "add email { smtp \"smtps://smtp.example.com:465\"; from \"auth@example.com\" }",
        ));
    };
    let bad = |what: &str| Failure::settings(what, "run `doorward check`");
    let secrets = Secrets::new(options);
    let login = match (&email.username, &email.password) {
        (Some(username), Some(reference)) => {
            let place = reference.origin.shown();
            let found = secrets.resolve(reference).map_err(|error| {
                Failure::settings(&format!("password ({place}): {error}"), "give it on the host")
            })?;
            let password = found.ok_or_else(|| bad("the password is made elsewhere"))?;
            Some(Login { username: username.clone(), password })
        }
        _ => None,
    };
    let ca = email.ca.as_ref().map(|path| secrets.certificates(&path.value)).transpose();
    let ca = ca.map_err(|error| Failure::settings(&format!("ca: {error}"), "see `ca` in `email`"));
    Ok(Route {
        server: email.server().ok_or_else(|| bad("`smtp` is no mail server"))?,
        login,
        from: letter::mailbox(&email.from.value).ok_or_else(|| bad("`from` is no sender"))?,
        ca: ca?,
        hello: blueprint.settings.external_host.value.host().to_owned(),
    })
}
