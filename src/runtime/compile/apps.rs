//! Applications: their addresses, headers and claims.

use http::HeaderName;

use super::{CompileError, Compiler, Policies};
use crate::access::path::Strictness;
use crate::access::rule::{AppAccess, Bypass, Gate, Rule};
use crate::blueprint::app as declared;
use crate::blueprint::object::Kind;
use crate::expression::catalogue::Context;
use crate::expression::program::Program;
use crate::model::web_url::Origin;
use crate::runtime::app::{Address, App, Reach};

impl Compiler<'_> {
    pub(super) fn apps(&self, policies: &Policies) -> Result<Vec<App>, CompileError> {
        let apps = self.blueprint.apps.iter().enumerate();
        apps.map(|(index, app)| self.app(index, app, policies)).collect()
    }

    fn app(
        &self,
        index: usize,
        app: &declared::App,
        policies: &Policies,
    ) -> Result<App, CompileError> {
        let slug = &app.slug.value;
        let access = self.access(app, policies)?;
        let looks_at_paths = looks_at_paths(app, &access);
        let addresses = app.proxies.iter().map(|proxy| self.address(proxy, looks_at_paths));
        let addresses: Vec<Address> = addresses.collect::<Result<_, _>>()?;
        let claims = app.oidc.iter().flat_map(|oidc| &oidc.claims);
        Ok(App {
            index,
            uid: (self.inputs.uids)(Kind::App, slug).unwrap_or_else(|| format!("app:{slug}")),
            slug: slug.clone(),
            title: app.title.clone().unwrap_or_else(|| slug.clone()),
            category: app.category.clone(),
            icon: app.icon.as_ref().map(|icon| icon.value.clone()),
            hidden: app.hidden,
            launch_url: self.launch_url(app, &addresses),
            access,
            addresses,
            authentication: app.authentication.as_ref().map(|name| name.value.clone()),
            authorization: app.authorization.as_ref().map(|name| name.value.clone()),
            session: app.session,
            client: self.client(app),
            ldap: self.ldap_app(app),
            claims: claims.map(|claim| self.claim(claim)).collect::<Result<_, _>>()?,
            place: self.sources.place(app.at),
        })
    }

    fn claim(&self, claim: &declared::HeaderLine) -> Result<(String, Program), CompileError> {
        Ok((claim.name.value.clone(), self.program(&claim.value, Context::Claim)?))
    }

    fn launch_url(&self, app: &declared::App, addresses: &[Address]) -> Option<String> {
        let proxied = addresses.iter().find_map(|address| match &address.reach {
            Reach::Host { public, .. } => Some(format!("{public}/")),
            Reach::Domain { .. } => None,
        });
        match &app.launch_url {
            // On a development server the proxied address is the one that answers.
            Some(_) if self.inputs.addressing.dev && proxied.is_some() => proxied,
            Some(url) => Some(url.value.clone()),
            None => proxied,
        }
    }

    fn address(&self, proxy: &declared::Proxy, strict: bool) -> Result<Address, CompileError> {
        let reach = self.reach(&proxy.reach);
        let headers = proxy.headers.iter().map(|header| self.header(header));
        let headers: Vec<_> = headers.collect::<Result<_, _>>()?;
        let (cookie, nonce_cookie) = cookie_names(&reach);
        Ok(Address {
            gate: Gate {
                bypass: proxy.bypass.iter().map(|bypass| self.bypass(bypass)).collect(),
                protect_only: proxy.protect_only.iter().map(|glob| glob.value.clone()).collect(),
                protect_place: self.sources.place(proxy.at),
                strictness: if strict { Strictness::Strict } else { Strictness::Lenient },
            },
            identity: proxy.identity_headers,
            headers,
            answers_preflight: proxy.preflight == declared::Preflight::Allow,
            cookie,
            nonce_cookie,
            reach,
        })
    }

    fn reach(&self, reach: &declared::Reach) -> Reach {
        let addressing = &self.inputs.addressing;
        match reach {
            declared::Reach::Address(url) => {
                let declared = url.value.origin();
                Reach::Host { public: addressing.public(&declared), declared }
            }
            declared::Reach::Domain { domain, .. } => {
                let external = self.blueprint.settings.external_host.value.origin();
                let origin = Origin { host: domain.value.as_str().to_owned(), ..external };
                let public = addressing.public(&origin);
                Reach::Domain { domain: origin.host, secure: public.secure, port: public.port }
            }
        }
    }

    fn header(&self, line: &declared::HeaderLine) -> Result<(HeaderName, Program), CompileError> {
        let name = HeaderName::try_from(line.name.value.as_str());
        let name = name.map_err(|error| self.fault(line.name.span, error))?;
        Ok((name, self.program(&line.value, Context::Claim)?))
    }

    fn bypass(&self, bypass: &declared::Bypass) -> Bypass {
        Bypass {
            paths: bypass.paths.iter().map(|glob| glob.value.clone()).collect(),
            methods: bypass.methods.clone(),
            place: self.sources.place(bypass.at),
        }
    }
}

/// Whether anything about this app depends on the path of a request.
fn looks_at_paths(app: &declared::App, access: &AppAccess) -> bool {
    let in_gate =
        |proxy: &declared::Proxy| !proxy.bypass.is_empty() || !proxy.protect_only.is_empty();
    app.proxies.iter().any(in_gate) || access.rules.iter().any(Rule::reads_path)
}

/// Cookies do not know ports, so the port stands in the name; `__Host-` needs https.
fn cookie_names(reach: &Reach) -> (String, String) {
    match reach {
        Reach::Host { public, .. } => {
            let prefix = if public.secure { "__Host-" } else { "" };
            let port = match (public.secure, public.port) {
                (true, 443) | (false, 80) => String::new(),
                (_, port) => format!("-{port}"),
            };
            (format!("{prefix}doorward-app{port}"), format!("{prefix}doorward-nonce{port}"))
        }
        Reach::Domain { secure, .. } => {
            let (domain, host) = if *secure { ("__Secure-", "__Host-") } else { ("", "") };
            (format!("{domain}doorward-domain"), format!("{host}doorward-nonce"))
        }
    }
}
