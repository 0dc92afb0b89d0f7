//! Letting a device in that has no keyboard.

use serde::Serialize;

use super::{HOSTILE, LONG, Page, Place, SIGN_IN_HOST};

/// Asks for the code that the device shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TypeDeviceCode {
    /// `unknown` or `too-many`.
    pub problem: Option<String>,
    pub action: String,
}

/// Says which device it is and what it would have, and asks whether it is this person's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConfirmDevice {
    pub app: String,
    /// As on the consent page.
    pub shares: Vec<String>,
    /// Where the device asked from, and when.
    pub address: String,
    pub at: String,
    pub action: String,
}

/// Says that the device knows now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceAnswered {
    pub app: String,
    pub is_let_in: bool,
}

impl Page for TypeDeviceCode {
    const TEMPLATE: &'static str = "device.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self { problem: None, action: "/device".to_owned() };
        let with = |problem: &str| Self { problem: Some(problem.to_owned()), ..usual.clone() };
        vec![usual.clone(), with("unknown"), with("too-many")]
    }
}

impl Page for ConfirmDevice {
    const TEMPLATE: &'static str = "device-confirm.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let usual = Self {
            app: "Television".to_owned(),
            shares: ["username", "name", "offline"].map(str::to_owned).to_vec(),
            address: "192.168.1.40".to_owned(),
            at: "2026-07-01 20:15 UTC".to_owned(),
            action: "/device?asked=x".to_owned(),
        };
        vec![
            usual.clone(),
            Self { app: LONG.to_owned(), shares: Vec::new(), ..usual.clone() },
            Self { app: HOSTILE.to_owned(), address: HOSTILE.to_owned(), ..usual },
        ]
    }
}

impl Page for DeviceAnswered {
    const TEMPLATE: &'static str = "device-answered.html";
    const PLACES: &'static [Place] = SIGN_IN_HOST;

    fn samples() -> Vec<Self> {
        let with = |app: &str, is_let_in| Self { app: app.to_owned(), is_let_in };
        vec![with("Television", true), with("Television", false), with(HOSTILE, true)]
    }
}
