//! What is expected of a cell: the first fault in a list says its name. The lists know nothing of how the
//! server finds out.

use super::cell::{App, Asks, Cell, Expiry, Grant, Reuse, Rule, User};

/// No error.
pub const TOKENS: &str = "tokens";
/// A page that sends nobody anywhere.
pub const PAGE: &str = "a page";

/// What is expected, and why.
pub struct Expected {
    pub name: &'static str,
    /// The answer says one of these, if there are any.
    pub words: Vec<&'static str>,
    pub why: &'static str,
}

/// Something that is wrong with a cell.
struct Fault {
    why: &'static str,
    is: fn(&Cell) -> bool,
    name: &'static str,
    words: &'static [&'static str],
}

/// At the token endpoint: who asks comes before what it may ask for, and that before what it brings.
const AT_TOKEN: [Fault; 12] = [
    Fault {
        why: "a client that cannot show who it is, or is none, is told so and no more (RFC 6749 §5.2)",
        is: |cell| matches!(cell.asks, Asks::WrongSecret | Asks::Nothing) || is_nobody(cell),
        name: "invalid_client",
        words: &["could not show that it is this client"],
    },
    Fault {
        why: "a client uses the grants that it is declared with (RFC 6749 §5.2)",
        is: |cell| cell.asks == Asks::Right && cell.what.app == App::Lost,
        name: "unauthorized_client",
        words: &["not declared with this grant"],
    },
    Fault {
        why: "an app that asks for itself is judged as the account that it acts as (RFC 6749 §4.4)",
        is: |cell| cell.what.grant == Grant::Itself && (is_kept_out(cell) || lacks_proof(cell)),
        name: "unauthorized_client",
        words: &["the rules of the app"],
    },
    Fault {
        why: "what was given to one client is worth nothing to another (RFC 6749 §5.2)",
        is: |cell| cell.asks == Asks::Another,
        name: "invalid_grant",
        words: &["given to another client"],
    },
    Fault {
        why: "a device code that ran out has a name of its own (RFC 8628 §3.5)",
        is: |cell| cell.what.grant == Grant::Device && is_expired(cell),
        name: "expired_token",
        words: &["has expired"],
    },
    Fault {
        why: "a code is good once (RFC 6749 §4.1.2, RFC 8628 §3.5)",
        is: |cell| !is_refreshing(cell) && cell.what.reuse != Reuse::First && has_used_up(cell),
        name: "invalid_grant",
        words: &["used before"],
    },
    Fault {
        why: "what is over has expired (RFC 6749 §5.2)",
        is: is_expired,
        name: "invalid_grant",
        words: &["has expired"],
    },
    Fault {
        why: "an account that is disabled, gone or in other hands gives nobody anything (RFC 9700 §4.14.2)",
        is: |cell| matches!(cell.what.user, User::Disabled | User::Removed | User::NewPassword),
        name: "invalid_grant",
        words: &["disabled or gone", "taken back", "not one that was given here"],
    },
    Fault {
        why: "what hangs on a sign-in ends with it (OIDC Core §11)",
        is: |cell| cell.what.user == User::SignedOut && hangs_on_the_sign_in(cell),
        name: "invalid_grant",
        words: &["signed out"],
    },
    Fault {
        why: "the rules are asked at every grant (RFC 6749 §5.2: the grant is invalid)",
        is: is_kept_out,
        name: "invalid_grant",
        words: &["do not let this person in"],
    },
    Fault {
        why: "a proof that the rules want is wanted at every grant",
        is: lacks_proof,
        name: "invalid_grant",
        words: &["another proof"],
    },
    Fault {
        why: "a refresh token is good once, but for an answer that was lost (RFC 9700 §4.14.2)",
        is: |cell| is_refreshing(cell) && cell.what.reuse == Reuse::Late,
        name: "invalid_grant",
        words: &["used before"],
    },
];

/// On the way of a pushed request: the client that pushes it, the browser that takes it up, the code.
const PUSHED: [Fault; 7] = [
    Fault {
        why: "a client that cannot show who it is pushes nothing (RFC 9126 §2.1)",
        is: |cell| matches!(cell.asks, Asks::WrongSecret | Asks::Nothing),
        name: "invalid_client",
        words: &["could not show that it is this client"],
    },
    Fault {
        why: "a pushed request is one client's, for moments, and answered once; otherwise nobody knows whom to tell (RFC 9126 §2.2, §4, §7.3; RFC 6749 §4.1.2.1)",
        is: |cell| {
            cell.asks == Asks::Another
                || cell.what.app == App::Gone
                || cell.what.expiry == Expiry::Expired
                || cell.what.reuse != Reuse::First
        },
        name: PAGE,
        words: &[],
    },
    Fault {
        why: "nobody is signed in, and none may be asked (OIDC Core §3.1.2.6)",
        is: |cell| {
            use User::{Disabled, NewPassword, Removed, SignedOut};
            matches!(cell.what.user, Disabled | Removed | NewPassword | SignedOut)
        },
        name: "login_required",
        words: &["signed in"],
    },
    Fault {
        why: "the rules do not let the person in (RFC 6749 §4.1.2.1)",
        is: is_kept_out,
        name: "access_denied",
        words: &[],
    },
    Fault {
        why: "a proof is wanted, and none may be asked for (OIDC Core §3.1.2.6)",
        is: lacks_proof,
        name: "interaction_required",
        words: &[],
    },
    Fault {
        why: "a client uses the grants that it is declared with (RFC 6749 §5.2)",
        is: |cell| cell.what.app == App::Lost,
        name: "unauthorized_client",
        words: &["not declared with"],
    },
    Fault { why: "nothing is wrong", is: |_| true, name: TOKENS, words: &[] },
];

impl Expected {
    pub fn of(cell: &Cell) -> Self {
        let faults = if cell.what.grant == Grant::Pushed { &PUSHED[..] } else { &AT_TOKEN };
        let mut wrong = faults.iter().filter(|fault| (fault.is)(cell));
        let Some(first) = wrong.next() else {
            return Self { name: TOKENS, words: Vec::new(), why: "nothing is wrong" };
        };
        // Of two faults with one name the server may tell either.
        let same = wrong.filter(|fault| fault.name == first.name && !first.words.is_empty());
        let words = first.words.iter().chain(same.flat_map(|fault| fault.words)).copied();
        Self { name: first.name, words: words.collect(), why: first.why }
    }
}

/// Whether the right client brings what it used before, so that all that came of it is over.
pub fn ends_the_family(cell: &Cell) -> bool {
    let too_often = match cell.what.reuse {
        Reuse::First => false,
        Reuse::Second => !is_refreshing(cell),
        Reuse::Late => true,
    };
    too_often && cell.asks == Asks::Right && matches!(cell.what.app, App::Secret | App::Public)
}

fn is_nobody(cell: &Cell) -> bool {
    cell.asks == Asks::Right && cell.what.app == App::Gone
}

fn is_refreshing(cell: &Cell) -> bool {
    matches!(cell.what.grant, Grant::Refresh | Grant::Offline)
}

/// Whether a use uses it up.
fn has_used_up(cell: &Cell) -> bool {
    cell.what.grant != Grant::Itself
}

/// What was used when it was good is looked at as something used.
fn is_expired(cell: &Cell) -> bool {
    cell.what.expiry == Expiry::Expired && cell.what.reuse == Reuse::First
}

fn hangs_on_the_sign_in(cell: &Cell) -> bool {
    matches!(cell.what.grant, Grant::Code | Grant::Refresh)
}

fn is_kept_out(cell: &Cell) -> bool {
    cell.what.rule == Rule::Refuses || cell.what.user == User::Left
}

fn lacks_proof(cell: &Cell) -> bool {
    cell.what.rule == Rule::Mfa && cell.what.user != User::Proven
}
