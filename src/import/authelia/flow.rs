//! `regulation`, `totp`, `webauthn` and what a session remembers: the flow that signs people in.

use super::settings::on;
use super::{Import, Parts};
use crate::import::document::Part;
use crate::import::duration;
use crate::import::kdl::Line;
use crate::import::yaml::{Node, Place};

impl Import<'_> {
    /// Writes the flow, and gives the line of the settings that chooses it. None if the built-in one
    /// does the same.
    pub(super) fn flows(
        &mut self,
        parts: &Parts,
        remember: Option<u64>,
        duo: bool,
        place: &Place,
    ) -> Option<Line> {
        let (totp, webauthn) = (parts.section("totp"), parts.section("webauthn"));
        let lockout = parts.section("regulation").and_then(|node| self.lockout(node));
        let is_off = |node: Option<&Node>| node.is_some_and(|node| on(node, "disable"));
        let passkeys = webauthn.is_some_and(|node| on(node, "enable_passkey_login"));
        let setup = totp.and_then(|node| self.totp(node));
        if let Some(webauthn) = webauthn.filter(|_| is_off(webauthn)) {
            webauthn.take_all();
        }
        let chosen = lockout.is_some()
            || remember.is_some()
            || duo
            || is_off(totp)
            || is_off(webauthn)
            || webauthn.is_some();
        let mut flows = Line::new("default-flows");
        if chosen {
            let mut classes = Vec::new();
            classes.extend((!is_off(webauthn)).then_some("webauthn"));
            classes.extend((!is_off(totp)).then_some("totp"));
            classes.extend(duo.then_some("duo"));
            classes.push("recovery-code");
            let flow = sign_in(passkeys && !is_off(webauthn), lockout, &classes, remember);
            self.document.push(Part::Flows, flow, place, "the flow that signs people in");
            flows.push(Line::new("authentication").word("sign-in"));
        }
        if let Some(setup) = setup {
            self.document.push(
                Part::Flows,
                setup,
                place,
                "the flow that adds an authenticator app",
            );
            flows.push(Line::new("setup").word("authenticator-app"));
        }
        self.report.to_do(
            place,
            "second factors of people",
            "they lie in Authelia's database, sealed: everybody sets theirs up again, at /security \
                or when an app asks",
        );
        flows.has_kids().then_some(flows)
    }

    fn lockout(&mut self, node: &Node) -> Option<Line> {
        let number =
            |key: &str| node.get(key).and_then(Node::raw).and_then(|text| text.parse::<u64>().ok());
        let (retries, window) = (number("max_retries"), node.get("find_time"));
        if let Some(window) = window {
            let why = "wrong passwords count until a right one here";
            self.report.not_carried(&window.place, "`find_time`", why);
        }
        let ban =
            node.get("ban_time").and_then(Node::raw).and_then(duration::authelia).unwrap_or(300);
        let retries = retries.unwrap_or(3);
        if retries == 0 {
            let why = "wrong guesses are always counted here; ten close an account for a quarter of an hour";
            self.report.changed(&node.place, "`regulation.max_retries: 0`", why);
            return None;
        }
        let line = Line::new("lockout").prop_number("after", retries.clamp(3, 1000));
        Some(duration::lasting(line, ban))
    }

    fn totp(&mut self, node: &Node) -> Option<Line> {
        if on(node, "disable") {
            node.take_all();
            return None;
        }
        let mut stage = Line::new("authenticator-totp");
        if let Some(issuer) = node.text_at("issuer").filter(|text| !text.trim().is_empty()) {
            stage.push(Line::new("issuer").text(issuer));
        }
        if let Some(digits) = node.get("digits") {
            match digits
                .raw()
                .and_then(|text| text.parse::<u64>().ok())
                .filter(|n| (6..=8).contains(n))
            {
                Some(number) => stage.push(Line::new("digits").number(number)),
                None => self.report.not_carried(
                    &digits.place,
                    "`totp.digits`",
                    "codes have 6 to 8 digits",
                ),
            }
        }
        if !stage.has_kids() {
            return None;
        }
        let flow = Line::new("flow").word("authenticator-app").prop_word("for", "setup");
        Some(flow.prop("title", "Authenticator app").kid(stage).kid(Line::new("recovery-codes")))
    }
}

fn sign_in(passkeys: bool, lockout: Option<Line>, classes: &[&str], remember: Option<u64>) -> Line {
    let identification = Line::new("identification");
    let identification =
        if passkeys { identification.word("passkey-autofill") } else { identification };
    let identification = identification.kid(Line::new("accept").names(["username", "email"]));
    let validate = Line::new("authenticator-validate")
        .kid(Line::new("device-classes").names(classes.iter().copied()))
        .kid(Line::new("not-configured-action").word("skip"));
    let mut login = Line::new("login");
    if let Some(seconds) = remember {
        login.push(duration::lasting(Line::new("stay-signed-in"), seconds));
    }
    let flow = Line::new("flow").word("sign-in").prop_word("for", "authentication");
    flow.prop("title", "Sign in")
        .kid(identification)
        .kid(Line::new("password").kids(lockout))
        .kid(validate)
        .kid(login)
}
