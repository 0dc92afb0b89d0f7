//! How many files the process may have open: as many as the host lets it.
//!
//! It knows no connection; what listeners make of the number is theirs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Asked for where the host sets no bound: what Linux gives at most unless told otherwise.
const MOST: u64 = 1 << 20;

/// Raises the soft limit to the hard one. If that fails, the process runs on with what it has.
pub fn raise() {
    let limit = getrlimit(Resource::Nofile);
    let Some(wanted) = raised(&limit) else { return };
    let (from, to) = (shown(limit.current), shown(wanted.current));
    match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => tracing::debug!(from, to, "the process may have more files open now"),
        Err(error) => tracing::warn!(
            %error,
            "the process may have only {from} files open and could not raise that to {to}, so that fewer connections are \
             open at once: set LimitNOFILE={to} in the unit of the service, or `ulimit -n {to}` before the start"
        ),
    }
}

/// The limit to ask for, if it is more than the one that holds.
fn raised(limit: &Rlimit) -> Option<Rlimit> {
    let current = limit.current?;
    let most = limit.maximum.unwrap_or(MOST);
    (current < most).then_some(Rlimit { current: Some(most), maximum: limit.maximum })
}

fn shown(limit: Option<u64>) -> String {
    limit.map_or("any number of".to_owned(), |limit| limit.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_limit_is_raised_to_the_hard_one_and_never_lowered() {
        let limit = |current, maximum| Rlimit { current, maximum };
        let wanted = |current, maximum| raised(&limit(current, maximum)).map(|it| it.current);
        assert_eq!(wanted(Some(1024), Some(4096)), Some(Some(4096)));
        assert_eq!(wanted(Some(1024), None), Some(Some(MOST)));
        assert_eq!(wanted(Some(4096), Some(4096)), None);
        assert_eq!(wanted(Some(MOST * 2), None), None);
        assert_eq!(wanted(None, None), None);
    }
}
