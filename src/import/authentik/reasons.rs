//! Why models and fields of authentik's do not carry.

const MODELS: [(&str, &str); 22] = [
    (
        "authentik_blueprints.",
        "which file comes first does not matter here: all files are one blueprint",
    ),
    ("authentik_brands.", "looks are a `brand`: docs/looks.md"),
    ("authentik_core.token", "tokens are made by `doorward token create`: docs/app-passwords.md"),
    ("authentik_core.", "nothing here is like it"),
    (
        "authentik_crypto.",
        "keys are made and rotated here; a certificate stands in `server { tls }`",
    ),
    ("authentik_enterprise.", "nothing here is like it"),
    ("authentik_events.", "what is told to whom is said by `notify`: docs/notices.md"),
    ("authentik_flows.", "no flow for signing in that is carried has it"),
    ("authentik_outposts.", "there are no outposts: the server answers the reverse proxy itself"),
    (
        "authentik_policies_expression.",
        "expressions are Python there and CEL here: write a `policy` by hand",
    ),
    (
        "authentik_policies_password.",
        "passwords are judged by `settings { password }`: docs/passwords.md",
    ),
    ("authentik_policies.", "it binds to something that is not carried"),
    ("authentik_policies_", "this kind of policy is written by hand: docs/blueprints.md"),
    (
        "authentik_providers_oauth2.scopemapping",
        "claims are expressions in CEL: write a `claim` line by hand, docs/claims.md",
    ),
    (
        "authentik_providers_saml.",
        "SAML is not spoken: use OpenID Connect or forward authentication",
    ),
    ("authentik_providers_scim.", "SCIM is `scim` in an app, and not served by this version"),
    (
        "authentik_providers_",
        "no application that is carried has this provider, or nothing here is like it",
    ),
    ("authentik_rbac.", "roles of the console are `console admin` and `console viewer` of a group"),
    (
        "authentik_sources_",
        "only sources that speak OpenID Connect or OAuth 2 are carried: docs/sources.md",
    ),
    ("authentik_stages_", "no flow for signing in that is carried has it: docs/flows.md"),
    ("authentik_tenants.", "there is one installation"),
    ("", "nothing here is like it"),
];

const FIELDS: [(&str, &str); 20] = [
    ("invalidation_flow", "signing out is built in"),
    ("authorization_flow", "agreement is `consent` in an app: docs/consent.md"),
    ("authentication_flow", "a flow of an app's own is `authentication` in it: docs/flows.md"),
    ("signing_key", "signing keys are made and rotated here: applications fetch the new ones"),
    ("encryption_key", "tokens are signed, not encrypted"),
    ("issuer_mode", "the issuer is the sign-in host, the same for all: docs/keep-sub.md"),
    ("include_claims_in_id_token", "claims stand in the ID token always: docs/claims.md"),
    ("access_code_validity", "codes live one minute"),
    ("meta_icon", "an icon is a file beside the blueprints: `icon=` in the app"),
    ("meta_", "the portal shows a title, a category and an icon"),
    ("open_in_new_tab", "the portal opens links as the browser does"),
    ("certificate", "a certificate stands in `ldap { tls }`"),
    ("branding_", "pictures are files beside the blueprints: docs/looks.md"),
    ("flow_", "flows are chosen by `settings { default-flows }`"),
    ("path", "people stand in no folders"),
    ("roles", "roles of the console are `console admin` and `console viewer` of a group"),
    ("timeout", "policies take no time here"),
    ("failure_result", "an error never opens a door here"),
    (
        "property_mappings",
        "claims are expressions in CEL: write a `claim` line by hand, docs/claims.md",
    ),
    ("", "nothing here is set up by it"),
];

/// Why an object of a model does not carry.
pub fn model(model: &str) -> &'static str {
    first(&MODELS, model)
}

/// Why a field does not.
pub fn why(path: &str) -> &'static str {
    first(&FIELDS, path)
}

fn first(all: &[(&'static str, &'static str)], text: &str) -> &'static str {
    all.iter().find(|(head, _)| text.starts_with(head)).map_or("", |(_, why)| why)
}
