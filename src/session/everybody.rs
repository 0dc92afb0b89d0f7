//! Everybody at once, for a directory.

use std::collections::HashMap;
use std::sync::Arc;

use super::account::{Profile, Standing};
use super::{SessionError, Sessions};
use crate::runtime::Runtime;
use crate::store::{Connection, Membership, User};

/// How many rows are read at once.
const PAGE: i64 = 1_000;

impl Sessions {
    /// Every account that may sign in, by username, and what it is worth.
    ///
    /// # Errors
    /// If the store cannot be asked.
    pub async fn everybody(
        &self,
        runtime: &Runtime,
    ) -> Result<Vec<(User, Arc<Standing>)>, SessionError> {
        let read = self.store.read().await?;
        let mut memberships =
            by_person(read.list_memberships().await?, |it: &Membership| &it.user_id);
        let mut connections =
            by_person(read.list_connections().await?, |it: &Connection| &it.user_id);
        let mut all = Vec::new();
        let mut after = String::new();
        loop {
            let page = read.list_users(&after, PAGE).await?;
            let Some(last) = page.last() else { return Ok(all) };
            after.clone_from(&last.username_key);
            for user in page {
                let joined = memberships.remove(&user.id).unwrap_or_default();
                let elsewhere = connections.remove(&user.id).unwrap_or_default();
                let profile = Profile::new(user, joined, elsewhere);
                let standing = profile.standing(runtime);
                if !standing.disabled {
                    all.push((profile.user, standing));
                }
            }
        }
    }
}

fn by_person<T>(rows: Vec<T>, of: impl Fn(&T) -> &String) -> HashMap<String, Vec<T>> {
    let mut all: HashMap<String, Vec<T>> = HashMap::new();
    for row in rows {
        all.entry(of(&row).clone()).or_default().push(row);
    }
    all
}
