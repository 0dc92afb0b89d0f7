//! `doorward user list`.

use crate::cli::{Installation, Opened};
use crate::store::User;

pub async fn print(at: &Installation, json: bool) -> anyhow::Result<u8> {
    let opened = Opened::at(at).await?;
    let read = opened.stored.store.read().await?;
    let mut people: Vec<User> = Vec::new();
    loop {
        let after = people.last().map_or("", |user| user.username_key.as_str()).to_owned();
        let page = read.list_users(&after, 500).await?;
        if page.is_empty() {
            break;
        }
        people.extend(page);
    }
    if json {
        let people: Vec<_> = people
            .iter()
            .map(|user| {
                serde_json::json!({
                    "name": user.username,
                    "title": user.name,
                    "email": user.email,
                    "declared": user.declared,
                    "disabled": user.disabled,
                    "password": user.password_hash.is_some(),
                })
            })
            .collect();
        crate::cli::print_json(&serde_json::json!(people))?;
        return Ok(0);
    }
    let mut text = String::new();
    for user in &people {
        let mut notes = Vec::new();
        if user.disabled {
            notes.push("disabled");
        }
        if user.password_hash.is_none() {
            notes.push("no password yet");
        }
        if !user.declared {
            notes.push("in no file");
        }
        text += &format!(
            "{:<24} {:<32} {}\n",
            user.username,
            user.email.as_deref().unwrap_or(""),
            notes.join(", ")
        );
    }
    if people.is_empty() {
        text = "nobody yet: declare a `user` and start the server\n".to_owned();
    }
    crate::cli::print(&text)?;
    Ok(0)
}
