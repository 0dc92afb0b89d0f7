//! Integration tests, one binary; the folders mirror the parts they test.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that goes wrong stops there")]

mod account;
mod app;
mod backup;
mod blueprint;
mod crash;
mod docs;
mod flow;
mod generated_secrets;
mod import;
mod ldap;
mod mail;
mod oidc;
mod openapi;
mod recipes;
mod security;
mod source;
mod store;
mod support;
mod tidy;
