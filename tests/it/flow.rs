//! What a sign-in asks of people, asked of the real server over HTTP.

mod initial_password;
mod starts;
