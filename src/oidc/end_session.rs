//! Signing out by a link of an app's (OIDC RP-Initiated Logout §2).

use crate::jose::Compact;
use crate::runtime::Runtime;
use crate::runtime::app::App;
use crate::web::form::Form;
use crate::web::server::Server;

use super::claims::{session_name, subject};
use super::with_query;
use crate::session::SignIn;

/// What a link says, as far as it can be believed.
#[derive(Debug, Default)]
pub struct EndSession<'a> {
    /// The app that it comes from.
    pub app: Option<&'a App>,
    /// Where to go afterwards: one of the app's declared addresses, with its `state`.
    pub back_to: Option<String>,
    /// Whose session the app means: the token that it showed is of this one.
    hint: Option<Hint>,
}

#[derive(Debug)]
struct Hint {
    subject: Option<String>,
    session: Option<String>,
}

/// A link that leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undeclared;

impl<'a> EndSession<'a> {
    /// Reads a link. A token that has expired still says whose it was.
    ///
    /// # Errors
    /// If it wants to go on to an address that is not declared.
    pub fn read(server: &Server, runtime: &'a Runtime, form: &Form) -> Result<Self, Undeclared> {
        let issuer = runtime.external.to_string();
        let token = form.exact("id_token_hint").and_then(|hint| Compact::read(hint).ok());
        let token = token.filter(|token| {
            token.text("iss") == Some(&issuer) && server.signing_keys.signed(token)
        });
        let audience = token.as_ref().and_then(|token| token.text("aud"));
        let named = match (audience, form.exact("client_id")) {
            (Some(audience), Some(id)) if audience != id => return Err(Undeclared),
            (audience, id) => audience.or(id),
        };
        let found = named.and_then(|id| runtime.client(id));
        let text =
            |name: &str| token.as_ref().and_then(|token| token.text(name)).map(str::to_owned);
        let hint = token.as_ref().map(|_| Hint { subject: text("sub"), session: text("sid") });
        let back_to = match form.exact("post_logout_redirect_uri") {
            None => None,
            Some(uri) => match found.filter(|(_, client)| client.returns_to(uri)) {
                Some(_) => Some(with_state(uri, form.exact("state"))),
                None => return Err(Undeclared),
            },
        };
        Ok(Self { app: found.map(|(app, _)| app), back_to, hint })
    }

    /// Whether the app showed a token of this very sign-in: then nobody has to be asked whether they
    /// mean it.
    #[must_use]
    pub fn means(&self, server: &Server, runtime: &Runtime, sign_in: &SignIn) -> bool {
        let (Some(app), Some(hint)) = (self.app, &self.hint) else { return false };
        let Some(client) = &app.client else { return false };
        let profile = sign_in.account.profile();
        let own = subject(&server.key, client, &profile, &profile.standing(runtime));
        let session = session_name(&server.key, &app.uid, &sign_in.id);
        hint.subject.as_deref() == Some(&own) && hint.session.as_deref() == Some(&session)
    }
}

fn with_state(uri: &str, state: Option<&str>) -> String {
    let Some(state) = state else { return uri.to_owned() };
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    with_query(uri, &query.append_pair("state", state).finish())
}
