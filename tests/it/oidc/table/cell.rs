//! The dimensions of the table, and which of their combinations make sense.

/// How somebody comes by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    Code,
    /// A pushed request, and the code that it becomes.
    Pushed,
    /// A refresh token that ends with the sign-in.
    Refresh,
    /// A refresh token that outlives it.
    Offline,
    Device,
    /// Client credentials.
    Itself,
}

/// The app that it was given to, as the files declare it when it is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    Secret,
    Public,
    /// It is declared with other grants.
    Lost,
    /// It is not declared any more.
    Gone,
}

/// Who presents it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    Right,
    WrongSecret,
    /// The right name and no secret.
    Nothing,
    /// Another client, with its own secret.
    Another,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum User {
    Active,
    /// Signed in by a second factor.
    Proven,
    /// Disabled in the files.
    Disabled,
    /// Not in the files any more.
    Removed,
    /// Given another password.
    NewPassword,
    SignedOut,
    /// In the group no more that the app lets in.
    Left,
}

/// What the app asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    LetsIn,
    Refuses,
    Mfa,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    Fresh,
    Expired,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reuse {
    First,
    /// Right after the first use.
    Second,
    /// When no answer counts as lost any more.
    Late,
}

/// Something that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    pub grant: Grant,
    pub app: App,
    pub rule: Rule,
    pub user: User,
    pub expiry: Expiry,
    pub reuse: Reuse,
}

/// One cell of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell {
    pub what: Presented,
    pub asks: Asks,
}

impl Grant {
    pub const ALL: [Self; 6] =
        [Self::Code, Self::Pushed, Self::Refresh, Self::Offline, Self::Device, Self::Itself];

    /// A refresh token may be brought again for half a minute; an app asks for itself as often as it
    /// likes, and brings nothing that could expire.
    fn reuses(self) -> &'static [Reuse] {
        match self {
            Self::Refresh | Self::Offline => &[Reuse::First, Reuse::Second, Reuse::Late],
            _ => &[Reuse::First, Reuse::Second],
        }
    }

    fn expiries(self) -> &'static [Expiry] {
        match self {
            Self::Itself => &[Expiry::Fresh],
            _ => &[Expiry::Fresh, Expiry::Expired],
        }
    }

    /// Nobody signs in to an app that asks for itself: the account that it acts as is in the group, or is not.
    fn users(self) -> &'static [User] {
        match self {
            Self::Itself => &[User::Active, User::Left],
            _ => &User::ALL,
        }
    }

    /// Only what has a secret asks for itself (RFC 6749 §4.4).
    fn apps(self) -> &'static [App] {
        match self {
            Self::Itself => &[App::Secret, App::Lost, App::Gone],
            _ => &[App::Secret, App::Public, App::Lost, App::Gone],
        }
    }
}

impl App {
    /// Where the app or its grant is gone, its rules are asked of nobody.
    pub fn rules(self) -> &'static [Rule] {
        match self {
            Self::Secret | Self::Public => &[Rule::LetsIn, Rule::Refuses, Rule::Mfa],
            Self::Lost | Self::Gone => &[Rule::LetsIn],
        }
    }
}

impl User {
    pub const ALL: [Self; 7] = [
        Self::Active,
        Self::Proven,
        Self::Disabled,
        Self::Removed,
        Self::NewPassword,
        Self::SignedOut,
        Self::Left,
    ];
}

impl Presented {
    pub fn all() -> Vec<Self> {
        let mut all = Vec::new();
        for grant in Grant::ALL {
            for &app in grant.apps() {
                for &rule in app.rules() {
                    for &user in grant.users() {
                        for &expiry in grant.expiries() {
                            for &reuse in grant.reuses() {
                                all.push(Self { grant, app, rule, user, expiry, reuse });
                            }
                        }
                    }
                }
            }
        }
        all
    }

    /// Who presents it, the right client last. One without a secret has no wrong one to leave out, and to
    /// one that is not declared every secret is wrong.
    pub fn asks(&self) -> Vec<Asks> {
        let first = (User::Active, Expiry::Fresh, Reuse::First);
        match (self.grant, self.app) {
            (Grant::Itself, App::Secret) => vec![Asks::WrongSecret, Asks::Nothing, Asks::Right],
            (Grant::Itself, _) => vec![Asks::Right],
            // Who pushes shows a secret; who takes the request up shows a name.
            (Grant::Pushed, App::Secret) if (self.user, self.expiry, self.reuse) == first => {
                vec![Asks::WrongSecret, Asks::Nothing, Asks::Another, Asks::Right]
            }
            (Grant::Pushed, _) => vec![Asks::Another, Asks::Right],
            (_, App::Secret) => vec![Asks::WrongSecret, Asks::Nothing, Asks::Another, Asks::Right],
            (_, App::Public) => vec![Asks::WrongSecret, Asks::Another, Asks::Right],
            (_, App::Lost | App::Gone) => vec![Asks::Another, Asks::Right],
        }
    }
}
