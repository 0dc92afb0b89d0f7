//! Why keys of Authelia's do not carry.

/// The longest head that fits a path decides.
const REASONS: [(&str, &str); 43] = [
    ("theme", "looks are a `brand` here: docs/looks.md"),
    ("default_redirection_url", "whoever signs in without an app comes to the portal"),
    ("default_2fa_method", "people choose among their own factors"),
    (
        "certificates_directory",
        "certificates for mail stand in `email { ca }`, for others in `settings { trusted-ca }`",
    ),
    ("server", "the process is set up by `server` and by arguments: docs/reference.md"),
    (
        "server.endpoints",
        "the decision endpoints of Authelia are answered as they are: docs/traefik.md",
    ),
    ("log", "the log goes to standard error; RUST_LOG says how much"),
    ("telemetry", "metrics are served at `server { metrics }`"),
    (
        "storage",
        "the state is a store of its own: `server { state }`; nothing of the old database is read",
    ),
    ("ntp", "the host keeps the time"),
    ("session.secret", "keys are made and kept here"),
    ("session.redis", "sessions lie in the store, which all nodes share"),
    ("session.name", "the cookie has a name of its own"),
    ("session.same_site", "cookies are `Lax` here"),
    ("session.cookies.name", "the cookie has a name of its own"),
    ("session.cookies.same_site", "cookies are `Lax` here"),
    (
        "session.cookies.default_redirection_url",
        "whoever signs in without an app comes to the portal",
    ),
    (
        "session.cookies",
        "one set of session lengths holds for all domains; an app may have its own: `session` in the app",
    ),
    ("jwt_secret", "keys are made and kept here"),
    ("identity_validation", "links are good for 30 minutes: `email-link { expires }` in a flow"),
    ("notifier.filesystem", "mail goes to a server: `email { smtp }`"),
    ("notifier.template_path", "mails have templates of their own: docs/templates.md"),
    ("notifier", "mail is sent by fewer settings here: docs/email.md"),
    (
        "totp",
        "codes are those that every authenticator app knows: SHA-1, 30 seconds, a step either way",
    ),
    ("webauthn", "passkeys are asked for as the stages in docs/second-factors.md say"),
    (
        "password_policy",
        "length and guessability count here, not kinds of letters: docs/passwords.md",
    ),
    ("privacy_policy", "terms are a stage of a flow: docs/consent.md"),
    ("authentication_backend.file", "people are declared in files here"),
    (
        "authentication_backend.password_reset",
        "people reset theirs by mail if mail is sent: docs/people.md",
    ),
    ("authentication_backend", "people are declared in files here"),
    ("access_control", "rules have no such part here: docs/blueprints.md"),
    ("identity_providers.oidc.hmac_secret", "keys are made and kept here"),
    (
        "identity_providers.oidc.jwks",
        "signing keys are made and rotated here: applications fetch the new ones",
    ),
    (
        "identity_providers.oidc.issuer_private_key",
        "signing keys are made and rotated here: applications fetch the new ones",
    ),
    (
        "identity_providers.oidc.issuer_private_keys",
        "signing keys are made and rotated here: applications fetch the new ones",
    ),
    (
        "identity_providers.oidc.cors",
        "the endpoints that browsers call answer every origin of a client",
    ),
    ("identity_providers.oidc.claims_policies", "claims are lines of an app: docs/claims.md"),
    (
        "identity_providers.oidc.scopes",
        "a scope of your own is a `claim` line here: docs/claims.md",
    ),
    (
        "identity_providers.oidc.lifespans",
        "codes live one minute; custom lifespans count token by token",
    ),
    ("identity_providers.oidc.clients", "an app has no such setting here: docs/openid-connect.md"),
    ("identity_providers.oidc", "the provider has no such setting here: docs/openid-connect.md"),
    ("identity_providers", "only OpenID Connect is spoken"),
    ("users", "a person has no such field here"),
];

/// The reason for a path such as `session.redis.host`.
pub fn why(path: &str) -> &'static str {
    let fits = |head: &str| {
        path == head || path.strip_prefix(head).is_some_and(|rest| rest.starts_with('.'))
    };
    let fitting = REASONS.iter().filter(|(head, _)| fits(head));
    let longest = fitting.max_by_key(|(head, _)| head.len());
    longest.map_or("nothing here is set up by it", |(_, why)| why)
}

#[cfg(test)]
mod tests {
    use super::why;

    #[test]
    fn the_longest_head_decides() {
        assert!(why("session.redis.host").contains("store"));
        assert!(why("session.redish").starts_with("nothing"));
        assert!(why("notifier.smtp.tls").contains("docs/email.md"));
        assert!(why("surprise").starts_with("nothing"));
    }
}
