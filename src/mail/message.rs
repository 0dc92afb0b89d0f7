//! Everything that is ever mailed.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::one_line;
use crate::clock::Millis;

/// How long a notice is worth being read.
const NOTICE: Duration = Duration::from_secs(2 * 86_400);
const LONGEST_VALUE: usize = 120;

/// A message for one person, as it lies sealed in the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Message {
    /// A link to set a new password.
    RecoveryLink {
        name: String,
        url: String,
        minutes: u32,
    },
    /// A link that shows that the address is theirs.
    VerifyAddress {
        name: String,
        url: String,
        minutes: u32,
    },
    /// Somebody wanted an account for an address that has one.
    AddressTaken {
        name: String,
    },
    /// A link that signs in.
    SignInLink {
        name: String,
        url: String,
        minutes: u32,
    },
    /// A code to be typed in.
    Code {
        name: String,
        code: String,
        minutes: u32,
    },
    /// A browser that they never signed in with.
    NewDevice {
        name: String,
        address: String,
        agent: String,
        at: Millis,
    },
    PasswordChanged {
        name: String,
        address: String,
        at: Millis,
    },
    /// Mail for the account goes elsewhere from now on; told where it went before.
    AddressChanged {
        name: String,
        address: String,
        at: Millis,
    },
    /// Too many wrong guesses locked the account for a while.
    Locked {
        name: String,
        address: String,
        at: Millis,
    },
    FactorAdded {
        name: String,
        factor: String,
        address: String,
        at: Millis,
    },
    FactorRemoved {
        name: String,
        factor: String,
        address: String,
        at: Millis,
    },
    /// An app password or API token.
    TokenMade {
        name: String,
        token: String,
        address: String,
        at: Millis,
    },
    /// A link to an account of their own.
    Invitation {
        inviter: String,
        url: String,
        minutes: u32,
    },
    /// An event, to whoever runs the place.
    Notice {
        what: String,
        event: String,
        at: Millis,
    },
    /// Shows that mail arrives.
    Test {
        at: Millis,
    },
}

/// What a message is about; the name of its templates and of its texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    RecoveryLink,
    VerifyAddress,
    AddressTaken,
    SignInLink,
    Code,
    NewDevice,
    PasswordChanged,
    AddressChanged,
    Locked,
    FactorAdded,
    FactorRemoved,
    TokenMade,
    Invitation,
    Notice,
    Test,
}

/// What only the recipient may have. No template reads it; it is put into the finished message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof<'a> {
    Link(&'a str),
    Code(&'a str),
}

impl Kind {
    pub const ALL: [Self; 15] = [
        Self::RecoveryLink,
        Self::VerifyAddress,
        Self::AddressTaken,
        Self::SignInLink,
        Self::Code,
        Self::NewDevice,
        Self::PasswordChanged,
        Self::AddressChanged,
        Self::Locked,
        Self::FactorAdded,
        Self::FactorRemoved,
        Self::TokenMade,
        Self::Invitation,
        Self::Notice,
        Self::Test,
    ];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::RecoveryLink => "recovery-link",
            Self::VerifyAddress => "verify-address",
            Self::AddressTaken => "address-taken",
            Self::SignInLink => "sign-in-link",
            Self::Code => "code",
            Self::NewDevice => "new-device",
            Self::PasswordChanged => "password-changed",
            Self::AddressChanged => "address-changed",
            Self::Locked => "locked",
            Self::FactorAdded => "factor-added",
            Self::FactorRemoved => "factor-removed",
            Self::TokenMade => "token-made",
            Self::Invitation => "invitation",
            Self::Notice => "notice",
            Self::Test => "test",
        }
    }
}

impl Message {
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::RecoveryLink { .. } => Kind::RecoveryLink,
            Self::VerifyAddress { .. } => Kind::VerifyAddress,
            Self::AddressTaken { .. } => Kind::AddressTaken,
            Self::SignInLink { .. } => Kind::SignInLink,
            Self::Code { .. } => Kind::Code,
            Self::NewDevice { .. } => Kind::NewDevice,
            Self::PasswordChanged { .. } => Kind::PasswordChanged,
            Self::AddressChanged { .. } => Kind::AddressChanged,
            Self::Locked { .. } => Kind::Locked,
            Self::FactorAdded { .. } => Kind::FactorAdded,
            Self::FactorRemoved { .. } => Kind::FactorRemoved,
            Self::TokenMade { .. } => Kind::TokenMade,
            Self::Invitation { .. } => Kind::Invitation,
            Self::Notice { .. } => Kind::Notice,
            Self::Test { .. } => Kind::Test,
        }
    }

    /// How long it is worth being sent: a link or a code no longer than it works.
    #[must_use]
    pub fn lives(&self) -> Duration {
        match self {
            Self::RecoveryLink { minutes, .. }
            | Self::VerifyAddress { minutes, .. }
            | Self::SignInLink { minutes, .. }
            | Self::Code { minutes, .. }
            | Self::Invitation { minutes, .. } => Duration::from_secs(u64::from(*minutes) * 60),
            Self::AddressTaken { .. }
            | Self::NewDevice { .. }
            | Self::PasswordChanged { .. }
            | Self::AddressChanged { .. }
            | Self::Locked { .. }
            | Self::FactorAdded { .. }
            | Self::FactorRemoved { .. }
            | Self::TokenMade { .. }
            | Self::Notice { .. }
            | Self::Test { .. } => NOTICE,
        }
    }

    /// What only the recipient may have.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        match self {
            Self::RecoveryLink { url, .. }
            | Self::VerifyAddress { url, .. }
            | Self::SignInLink { url, .. }
            | Self::Invitation { url, .. } => Some(Proof::Link(url)),
            Self::Code { code, .. } => Some(Proof::Code(code)),
            _ => None,
        }
    }

    /// What templates may read, each on one line.
    #[must_use]
    pub fn values(&self) -> BTreeMap<&'static str, String> {
        let line = |text: &str| one_line(text, LONGEST_VALUE);
        match self {
            Self::RecoveryLink { name, minutes, .. }
            | Self::VerifyAddress { name, minutes, .. }
            | Self::SignInLink { name, minutes, .. }
            | Self::Code { name, minutes, .. } => {
                BTreeMap::from([("name", line(name)), ("minutes", minutes.to_string())])
            }
            Self::AddressTaken { name } => BTreeMap::from([("name", line(name))]),
            Self::Invitation { inviter, minutes, .. } => BTreeMap::from([
                ("inviter", line(inviter)),
                ("hours", minutes.div_ceil(60).to_string()),
            ]),
            Self::NewDevice { name, address, agent, at } => BTreeMap::from([
                ("name", line(name)),
                ("address", line(address)),
                ("agent", line(agent)),
                ("at", moment(*at)),
            ]),
            Self::PasswordChanged { name, address, at }
            | Self::AddressChanged { name, address, at }
            | Self::Locked { name, address, at } => BTreeMap::from([
                ("name", line(name)),
                ("address", line(address)),
                ("at", moment(*at)),
            ]),
            Self::FactorAdded { name, factor, address, at }
            | Self::FactorRemoved { name, factor, address, at } => BTreeMap::from([
                ("name", line(name)),
                ("factor", line(factor)),
                ("address", line(address)),
                ("at", moment(*at)),
            ]),
            Self::TokenMade { name, token, address, at } => BTreeMap::from([
                ("name", line(name)),
                ("token", line(token)),
                ("address", line(address)),
                ("at", moment(*at)),
            ]),
            Self::Notice { what, event, at } => BTreeMap::from([
                ("what", one_line(what, 400)),
                ("event", line(event)),
                ("at", moment(*at)),
            ]),
            Self::Test { at } => BTreeMap::from([("at", moment(*at))]),
        }
    }

    /// One of each kind with these texts in every place that takes one.
    #[must_use]
    pub fn samples(text: &str) -> Vec<Self> {
        let url = "https://auth.home.example/link?token=s4mple".to_owned();
        let (own, at) = (|| text.to_owned(), Millis(1_700_000_000_000));
        vec![
            Self::RecoveryLink { name: own(), url: url.clone(), minutes: 30 },
            Self::VerifyAddress { name: own(), url: url.clone(), minutes: 30 },
            Self::AddressTaken { name: own() },
            Self::SignInLink { name: own(), url: url.clone(), minutes: 1 },
            Self::Code { name: own(), code: "123456".to_owned(), minutes: 10 },
            Self::NewDevice { name: own(), address: own(), agent: own(), at },
            Self::PasswordChanged { name: own(), address: own(), at },
            Self::AddressChanged { name: own(), address: own(), at },
            Self::Locked { name: own(), address: own(), at },
            Self::FactorAdded { name: own(), factor: own(), address: own(), at },
            Self::FactorRemoved { name: own(), factor: own(), address: own(), at },
            Self::TokenMade { name: own(), token: own(), address: own(), at },
            Self::Invitation { inviter: own(), url, minutes: 2880 },
            Self::Notice { what: own(), event: own(), at },
            Self::Test { at },
        ]
    }
}

/// A time that people can read, to the minute.
fn moment(at: Millis) -> String {
    match jiff::Timestamp::from_millisecond(at.0) {
        Ok(moment) => moment.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => at.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_sample_and_the_name_that_it_is_stored_under() {
        let samples = Message::samples("x");
        let kinds: Vec<Kind> = samples.iter().map(Message::kind).collect();
        assert_eq!(kinds, Kind::ALL);
        for message in samples {
            let json = serde_json::to_value(&message).expect("JSON");
            assert_eq!(json["kind"], message.kind().word());
            assert_eq!(serde_json::from_value::<Message>(json).expect("a message"), message);
        }
    }

    #[test]
    fn what_templates_read_has_one_line_and_holds_no_proof() {
        for message in Message::samples("a\r\nb") {
            for (name, value) in message.values() {
                assert!(!value.contains(['\r', '\n']), "{name}: {value:?}");
                assert!(!value.contains("s4mple") && !value.contains("123456"), "{name}");
            }
        }
    }

    #[test]
    fn a_link_is_not_sent_after_it_ceased_to_work() {
        let link = Message::RecoveryLink { name: String::new(), url: String::new(), minutes: 30 };
        assert_eq!(link.lives(), Duration::from_secs(1800));
    }
}
