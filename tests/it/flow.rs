//! What a sign-in asks of people, asked of the real server over HTTP.

mod agreement;
mod conditions;
mod disabled;
mod duo;
mod email_code;
mod initial_password;
mod links;
mod people;
mod reputation;
mod second_factor;
mod starts;
