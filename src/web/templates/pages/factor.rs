//! Second factors: proving one, setting one up.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// What a page needs to ask a passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PasskeyChallenge {
    /// The argument of `navigator.credentials`, as JSON.
    pub options: String,
    /// Goes back with the answer, as the field `ceremony`.
    pub sealed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FactorProblem {
    Missing,
    Wrong,
    /// A code that was right, and used before.
    Used,
    /// A code that ran out, by time or by wrong guesses.
    Expired,
    /// A service elsewhere did not confirm it.
    Refused,
    /// A service elsewhere could not be asked.
    Unreachable,
}

/// Asks for a proof with a second factor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProveFactor {
    /// `totp`, `webauthn`, `recovery-code`, …
    pub class: &'static str,
    pub who: String,
    /// Back to naming somebody else; not inside a session.
    pub not_you: Option<String>,
    pub error: Option<FactorProblem>,
    pub continue_to: Option<String>,
    /// What else the account could prove.
    pub others: Vec<OtherFactor>,
    /// How many days the browser may remember it; it is asked about with the field `remember`.
    pub remember_days: Option<u32>,
    pub passkey: Option<PasskeyChallenge>,
    /// The path that the form is posted to, with `with` and `code`, or `ceremony` and `answer`.
    pub action: String,
}

/// Another class that the account holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OtherFactor {
    pub class: &'static str,
    pub url: String,
}

/// Asks which kind of factor is to be set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChooseSetUp {
    pub who: String,
    pub continue_to: Option<String>,
    pub choices: Vec<SetUpChoice>,
    /// The path that the forms are posted to, with the field `with`.
    pub action: String,
}

/// A flow that sets a factor up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetUpChoice {
    pub flow: String,
    pub title: String,
    pub kind: Option<&'static str>,
}

/// Shows the secret of an authenticator app and asks for its first code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetUpTotp {
    pub who: String,
    /// To be typed, in groups of four.
    pub secret: String,
    /// For a device that opens it by itself.
    pub url: Option<String>,
    /// The same as a drawing of ours (SVG).
    pub qr: Option<String>,
    pub error: Option<FactorProblem>,
    /// Whether there was a choice to go back to, with the field `leave`.
    pub may_leave: bool,
    /// Where somebody goes who sets nothing up after all.
    pub cancel: Option<String>,
    pub action: String,
}

/// Asks the device for a new passkey.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SetUpPasskey {
    pub who: String,
    pub passkey: PasskeyChallenge,
    pub error: Option<FactorProblem>,
    pub may_leave: bool,
    /// Where somebody goes who sets nothing up after all.
    pub cancel: Option<String>,
    pub action: String,
}

/// Shows recovery codes, once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RecoveryCodes {
    pub who: String,
    pub codes: Vec<String>,
    /// The path that the form is posted to, with the field `saved`.
    pub action: String,
}

/// The account has factors, and none that is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LacksFactor {
    pub app: Option<String>,
    pub classes: Vec<&'static str>,
    /// Where a person who is signed in adds one.
    pub manage: Option<String>,
    pub again: String,
}

const CLASSES: [&str; 5] = ["totp", "webauthn", "recovery-code", "email-code", "duo"];

fn challenge() -> PasskeyChallenge {
    PasskeyChallenge {
        options: r#"{"publicKey":{"challenge":"c2FtcGxl","rpId":"auth.home.example"}}"#.to_owned(),
        sealed: "c2VhbGVk".to_owned(),
    }
}

impl Page for ProveFactor {
    const TEMPLATE: &'static str = "factor.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let others = |but: &str, url: &str| {
            let all = CLASSES.into_iter().filter(|class| *class != but);
            all.map(|class| OtherFactor { class, url: url.to_owned() }).collect()
        };
        let of = |class: &'static str| Self {
            class,
            who: "ada".to_owned(),
            not_you: Some("/sign-in?restart=1".to_owned()),
            error: None,
            continue_to: Some("Grafana".to_owned()),
            others: others(class, "/sign-in?with=x"),
            remember_days: Some(30),
            passkey: (class == "webauthn").then(challenge),
            action: "/sign-in".to_owned(),
        };
        let mut samples: Vec<Self> = CLASSES.into_iter().map(of).collect();
        for problem in [FactorProblem::Missing, FactorProblem::Wrong, FactorProblem::Used] {
            samples.extend(CLASSES.map(|class| Self { error: Some(problem), ..of(class) }));
        }
        for problem in [FactorProblem::Refused, FactorProblem::Unreachable] {
            samples.push(Self { error: Some(problem), ..of("duo") });
        }
        samples.push(Self {
            who: LONG.to_owned(),
            not_you: None,
            continue_to: None,
            others: Vec::new(),
            remember_days: Some(1),
            ..of("totp")
        });
        samples.push(Self {
            who: HOSTILE.to_owned(),
            not_you: Some("javascript:alert(1)".to_owned()),
            continue_to: Some(HOSTILE.to_owned()),
            others: others("webauthn", "javascript:alert(1)"),
            remember_days: None,
            passkey: Some(PasskeyChallenge {
                options: HOSTILE.to_owned(),
                sealed: HOSTILE.to_owned(),
            }),
            ..of("webauthn")
        });
        samples
    }
}

impl Page for ChooseSetUp {
    const TEMPLATE: &'static str = "choose-set-up.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let choice = |kind: Option<&'static str>, title: &str| SetUpChoice {
            flow: title.to_owned(),
            title: title.to_owned(),
            kind,
        };
        let mut choices: Vec<_> =
            CLASSES.into_iter().map(|class| choice(Some(class), class)).collect();
        choices.push(choice(None, LONG));
        let usual = Self {
            who: "ada".to_owned(),
            continue_to: Some("Grafana".to_owned()),
            choices,
            action: "/sign-in".to_owned(),
        };
        let hostile = Self {
            who: HOSTILE.to_owned(),
            continue_to: None,
            choices: vec![choice(None, HOSTILE)],
            ..usual.clone()
        };
        vec![usual, hostile]
    }
}

impl Page for SetUpTotp {
    const TEMPLATE: &'static str = "set-up-totp.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            who: "ada".to_owned(),
            secret: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".to_owned(),
            url: Some("otpauth://totp/Lab:ada?secret=GEZDGNBVGY3TQOJQ&issuer=Lab".to_owned()),
            qr: Some(r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"></svg>"#.into()),
            error: None,
            may_leave: true,
            cancel: Some(HOSTILE.to_owned()),
            action: "/sign-in".to_owned(),
        };
        let with = |error| Self { error: Some(error), ..usual.clone() };
        vec![
            usual.clone(),
            with(FactorProblem::Missing),
            with(FactorProblem::Wrong),
            with(FactorProblem::Used),
            Self { qr: None, url: None, may_leave: false, ..usual.clone() },
            Self { who: HOSTILE.to_owned(), url: Some("javascript:x".to_owned()), ..usual },
        ]
    }
}

impl Page for SetUpPasskey {
    const TEMPLATE: &'static str = "set-up-passkey.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            who: "ada".to_owned(),
            passkey: challenge(),
            error: None,
            may_leave: true,
            cancel: Some(HOSTILE.to_owned()),
            action: "/sign-in".to_owned(),
        };
        let with = |error| Self { error: Some(error), ..usual.clone() };
        vec![
            usual.clone(),
            with(FactorProblem::Missing),
            with(FactorProblem::Wrong),
            with(FactorProblem::Used),
            Self { who: HOSTILE.to_owned(), may_leave: false, ..usual },
        ]
    }
}

impl Page for RecoveryCodes {
    const TEMPLATE: &'static str = "recovery-codes.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let codes = ["k7mq2-xw9rt", "abcde-fghij", "mnpqr-stuvw", "xyz23-45678"];
        let usual = Self {
            who: "ada".to_owned(),
            codes: codes.map(str::to_owned).to_vec(),
            action: "/sign-in".to_owned(),
        };
        vec![Self { who: HOSTILE.to_owned(), ..usual.clone() }, usual]
    }
}

impl Page for LacksFactor {
    const TEMPLATE: &'static str = "lacks-factor.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            app: Some("Grafana".to_owned()),
            classes: CLASSES.to_vec(),
            manage: Some("/security".to_owned()),
            again: "/sign-in?restart=1".to_owned(),
        };
        vec![
            Self { app: None, classes: vec!["webauthn"], manage: None, ..usual.clone() },
            Self { app: Some(HOSTILE.to_owned()), again: "javascript:x".into(), ..usual.clone() },
            usual,
        ]
    }
}
