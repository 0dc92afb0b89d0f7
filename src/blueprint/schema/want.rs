//! What kind of value may stand in a place.

use crate::blueprint::object::Kind;

/// The meaning of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Any text.
    Text,
    /// Text that is not blank: an empty one would look as if something were said.
    Phrase,
    /// Text that must be in quotes.
    Title,
    /// A whole number from and to.
    Whole(i64, i64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// The name of a declared thing, at its declaration.
    Slug,
    /// A name with wider letters: users may be called `a.b@c`.
    UserName,
    /// A key of an attribute, a claim or a form field.
    Key,
    /// The name of a declared object.
    Ref(Kind),
    /// The name that an object had before.
    Formerly(Kind),
    /// `group:X`, `user:X`, `service-account:X` or `everyone`.
    Subject,
    /// A persona, or `anonymous`.
    Who,
    /// A URL of an app, or `app:slug`.
    Target,
    /// A middleware of Traefik: declared, or `name@provider`.
    Middleware,
    /// A template.
    Template,
    /// Any value at all.
    Any,
    /// A reference to a secret that others gave us.
    Secret,
    /// A reference to a secret that we can make.
    OwnSecret,
    /// As `OwnSecret`, or a verifier.
    ClientSecret,
    /// As `Secret`, or the hash of a password.
    FirstPassword,
    /// `https://host[:port]`, nothing more.
    ExternalHost,
    /// The address of an application: scheme and host, no path.
    AppAddress,
    /// Where a reverse proxy reaches something: scheme, host and port.
    Upstream,
    /// A page: https, or http.
    Page,
    /// A callback of an OpenID Connect client.
    Redirect,
    /// What we call or are called by: https, or http on loopback.
    Endpoint,
    /// A JSON Web Key Set of public keys.
    KeySet,
    /// `smtp://` or `smtps://`.
    Smtp,
    /// `sqlite://` or `postgres://`.
    State,
    /// Address and port to listen on.
    Listen,
    Host,
    /// A host, with a port if it is not 443.
    Authority,
    HostPattern,
    Domain,
    Network,
    Ip,
    Glob,
    Regex,
    Cel(CelContext, CelWant),
    /// A path on the host.
    File,
    /// A path on the host that is written.
    OutputFile,
    /// A path relative to the root of the blueprints.
    Asset,
    /// A path of a URL.
    UrlPath,
    Header,
    Method,
    TimeOfDay,
    Days,
    Zone,
    Moment,
    Email,
    /// `Name <address>` or an address.
    Mailbox,
    Dn,
    Event,
    Color,
    Yaml,
}

/// What an expression may speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CelContext {
    /// `user`, `request`, `app`, `now`.
    Policy,
    /// `user` and `app`.
    Claim,
    /// `user` and `app`.
    Header,
    /// `user`, as another provider tells it.
    Source,
    /// `app`, expanded.
    Invariant,
}

/// The type of value that an expression must give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CelWant {
    Truth,
    /// Text: the value of a header.
    Text,
    /// Whatever can be written as JSON.
    Anything,
}

impl Want {
    /// What a person has to write, after "wants".
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Text | Self::Phrase | Self::Key | Self::Any | Self::UrlPath => "text",
            Self::Title => "text in quotes",
            Self::Whole(..) => "a whole number",
            Self::Word(_) => "a word",
            Self::Slug | Self::UserName | Self::Formerly(_) | Self::Template => "a name",
            Self::Ref(kind) => match kind {
                Kind::Group => "the name of a group",
                Kind::User => "the name of a user",
                Kind::ServiceAccount => "the name of a service account",
                Kind::Policy => "the name of a policy",
                Kind::Flow => "the name of a flow",
                Kind::App => "the name of an app",
                Kind::Source => "the name of a source",
                Kind::Brand => "the name of a brand",
                Kind::Notify => "the name of a notify",
            },
            Self::Subject => "a subject such as group:users",
            Self::Who => "a persona or `anonymous`",
            Self::Target => "a URL or app:NAME",
            Self::Middleware => "the name of a middleware",
            Self::Secret | Self::FirstPassword => "a secret such as (credential)name",
            Self::OwnSecret | Self::ClientSecret => "a secret such as `generated`",
            Self::ExternalHost
            | Self::AppAddress
            | Self::Upstream
            | Self::Page
            | Self::Redirect
            | Self::Endpoint
            | Self::Smtp
            | Self::State => "a URL",
            Self::Listen => "an address with a port",
            Self::Host | Self::Authority => "a host name",
            Self::HostPattern => "a host pattern",
            Self::Domain => "a domain",
            Self::Network => "a network",
            Self::Ip => "an IP address",
            Self::Glob => "a path pattern",
            Self::Regex => "a regular expression",
            Self::Cel(..) => "an expression",
            Self::File | Self::OutputFile | Self::Asset => "a path",
            Self::Header => "the name of a header",
            Self::Method => "an HTTP method",
            Self::TimeOfDay => "a time of day",
            Self::Days => "days of the week",
            Self::Zone => "a time zone",
            Self::Moment => "a date and time",
            Self::Email | Self::Mailbox => "an e-mail address",
            Self::Dn => "a distinguished name",
            Self::Event => "a kind of event",
            Self::Color => "a colour",
            Self::Yaml => "YAML",
            Self::KeySet => "a JSON Web Key Set",
        }
    }

    /// Whether a literal in this place must never be shown.
    #[must_use]
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Secret | Self::OwnSecret | Self::ClientSecret | Self::FirstPassword)
    }
}
