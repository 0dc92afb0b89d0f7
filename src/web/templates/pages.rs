//! Every page as a type: what it is rendered from, its template, and samples of it.
//!
//! Samples are the contract with a theme: one that renders them all is good to serve.

mod account;
mod admin;
mod agreement;
mod device;
mod factor;
mod people;
mod portal;
mod refusal;
mod security;
mod setup;
mod sign_in;

use serde::Serialize;

use super::{
    Brand, FooterLink, Frame, Language, Person, Place, Sample, Templates, Touched, contexts,
};

pub use account::{
    Activity, ChangePassword, Happening, MadeToken, NewToken, OwnToken, Profile, ProfileProblem,
    TokenApp, TokenProblem, TokenScope, Tokens,
};
pub use admin::{Admin, AdminEvent, AdminPerson};
pub use agreement::{AskConsent, AskTerms};
pub use device::{ConfirmDevice, DeviceAnswered, TypeDeviceCode};
pub use factor::{
    ChooseSetUp, FactorProblem, LacksFactor, OtherFactor, PasskeyChallenge, ProveFactor,
    RecoveryCodes, SetUpChoice, SetUpPasskey, SetUpTotp,
};
pub use people::{
    AskInvitation, ConfirmLink, MailSent, MailedLink, Prompt, PromptField, PromptKind,
    PromptOption, PromptProblem,
};

pub use portal::{AppCard, Category, Portal, SignOut, SignedOut};
pub use refusal::{
    Denial, Denied, ErrorKind, ErrorPage, Loop, LoopCheck, RestartReason, Restarted,
};
pub use security::{
    AddFactor, OwnConnection, OwnConsent, OwnFactor, OwnSession, Security, SecurityProblem,
};
pub use setup::{AddressProblem, Declared, HeaderLine, Meant, SourcePlace, Standin, WrongAddress};
pub use sign_in::{
    AskWhoseAccount, Connecting, FlowLink, FlowLinkKind, Identify, IdentifyProblem, Password,
    PasswordProblem, PasswordReason, SetPassword, SignInProblem, SourceButton,
};

/// A page: its values are serialised for the template under the name `page`.
pub trait Page: Serialize + Sized {
    const TEMPLATE: &'static str;
    /// The hosts that the page may stand on.
    const PLACES: &'static [Place];
    /// The ordinary, the empty, the long and the hostile; every kind of text at least once.
    fn samples() -> Vec<Self>;
}

const SIGN_IN_HOST: &[Place] = &[Place::SignInHost];
const APP_HOST: &[Place] = &[Place::AppHost];
const ANYWHERE: &[Place] = &[Place::SignInHost, Place::AppHost];

/// Text as an attacker would have it.
pub(super) const HOSTILE: &str =
    "<script>alert('{{ 7 * 7 }}')</script>\"><img src=x onerror=alert(1)>";
const LONG: &str = "A name that goes on and on, as names of imported things sometimes do, with\
                    averylongunbrokenpartinitthatmustnotpushthepageoutofitsplaceonasmallscreen";

type Sampler = fn(&Templates, (&str, &Touched), &mut Vec<Sample>);

/// A page, whatever its values are.
pub(super) struct Kind {
    pub sample: Sampler,
    pub describe: fn() -> String,
}

const fn kind<P: Page>() -> Kind {
    Kind { sample: sample::<P>, describe: contexts::describe::<P> }
}

pub(super) const KINDS: &[Kind] = &[
    kind::<Identify>(),
    kind::<AskWhoseAccount>(),
    kind::<Password>(),
    kind::<SetPassword>(),
    kind::<ProveFactor>(),
    kind::<ChooseSetUp>(),
    kind::<SetUpTotp>(),
    kind::<SetUpPasskey>(),
    kind::<RecoveryCodes>(),
    kind::<LacksFactor>(),
    kind::<Prompt>(),
    kind::<MailSent>(),
    kind::<ConfirmLink>(),
    kind::<AskInvitation>(),
    kind::<AskTerms>(),
    kind::<AskConsent>(),
    kind::<TypeDeviceCode>(),
    kind::<ConfirmDevice>(),
    kind::<DeviceAnswered>(),
    kind::<Portal>(),
    kind::<Profile>(),
    kind::<ChangePassword>(),
    kind::<Security>(),
    kind::<Tokens>(),
    kind::<Activity>(),
    kind::<Admin>(),
    kind::<SignOut>(),
    kind::<SignedOut>(),
    kind::<Denied>(),
    kind::<Standin>(),
    kind::<WrongAddress>(),
    kind::<ErrorPage>(),
    kind::<Loop>(),
    kind::<Restarted>(),
];

fn sample<P: Page>(
    templates: &Templates,
    (language, touched): (&str, &Touched),
    samples: &mut Vec<Sample>,
) {
    if !touched.holds(P::TEMPLATE, language) {
        return;
    }
    let page = P::TEMPLATE.trim_end_matches(".html");
    for place in P::PLACES {
        for (index, sample) in P::samples().iter().enumerate() {
            for (dress, frame) in frames(language, *place).frames() {
                samples.push(Sample {
                    name: format!("{page}-{index}-{dress}-{}-{language}", place.word()),
                    html: templates.render(&frame, sample),
                });
            }
        }
    }
}

impl Place {
    fn word(self) -> &'static str {
        match self {
            Self::SignInHost => "sign-in-host",
            Self::AppHost => "app-host",
        }
    }
}

/// The frames that samples are shown in: as usual, bare, and as an attacker would have it.
struct Frames<'a> {
    language: &'a str,
    place: Place,
    brands: [Brand; 3],
    people: [Person; 2],
}

fn frames(language: &str, place: Place) -> Frames<'_> {
    let usual = Brand {
        title: "Home Lab".to_owned(),
        footer: vec![
            link("Status", "https://status.home.example/"),
            link("Help", "mailto:help@home.example"),
        ],
        ..Brand::plain()
    };
    let hostile = Brand {
        title: HOSTILE.to_owned(),
        logo: Some("https://evil.example/logo.svg".to_owned()),
        favicon: Some("//evil.example/".to_owned()),
        footer: vec![link(HOSTILE, "javascript:alert(1)")],
    };
    Frames {
        language,
        place,
        brands: [usual, Brand::plain(), hostile],
        people: [person("Ada Lovelace", "ada"), person(HOSTILE, HOSTILE)],
    }
}

impl Frames<'_> {
    fn frames(&self) -> [(&'static str, Frame<'_>); 3] {
        let [usual, plain, hostile] = &self.brands;
        let [ada, attacker] = &self.people;
        let csrf = match self.place {
            Place::SignInHost => Some("s4mple-t0ken"),
            Place::AppHost => None,
        };
        let home = match self.place {
            Place::SignInHost => "/",
            Place::AppHost => "https://auth.home.example/",
        };
        let frame = Frame {
            brand: usual,
            language: self.language,
            banner: None,
            user: Some(ada),
            home,
            place: self.place,
            csrf,
        };
        let bare = Frame { brand: plain, user: None, ..frame };
        let worst = Frame { brand: hostile, user: Some(attacker), banner: Some(HOSTILE), ..frame };
        [("usual", frame), ("bare", bare), ("hostile", worst)]
    }
}

fn link(text: &str, url: &str) -> FooterLink {
    FooterLink { text: text.to_owned(), url: url.to_owned() }
}

fn person(name: &str, username: &str) -> Person {
    Person { name: name.to_owned(), username: username.to_owned(), language: None }
}
