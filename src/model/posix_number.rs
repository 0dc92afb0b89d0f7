//! Numbers and names that hosts know people and groups by.

use std::ops::RangeInclusive;

/// What is given out here: above what systems give to themselves, and below what containers take.
pub const GIVEN_OUT: RangeInclusive<i64> = 100_000..=524_287;
/// The numbers below are a system's own, first of all root's.
pub const LOWEST: i64 = 1_000;

/// Names that hosts give to themselves, or give power by.
const OF_SYSTEMS: [&str; 42] = [
    "adm",
    "admin",
    "audio",
    "backup",
    "bin",
    "cdrom",
    "daemon",
    "dialout",
    "dip",
    "disk",
    "docker",
    "floppy",
    "games",
    "git",
    "incus-admin",
    "kmem",
    "kvm",
    "libvirt",
    "lp",
    "lxd",
    "mail",
    "man",
    "messagebus",
    "mysql",
    "netdev",
    "nobody",
    "operator",
    "plugdev",
    "postgres",
    "proxy",
    "root",
    "shadow",
    "src",
    "sshd",
    "staff",
    "sudo",
    "sync",
    "sys",
    "tty",
    "video",
    "wheel",
    "www-data",
];

/// Whether a host may know somebody or a group by this name: one that no system has, and that is no path.
#[must_use]
pub fn is_for_hosts(name: &str) -> bool {
    let mut letters = name.chars();
    let first = letters.next().is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let rest =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.');
    let whole = first && name.len() <= 32 && letters.all(rest) && !name.starts_with("systemd-");
    whole && !OF_SYSTEMS.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_told_no_name_of_their_own_and_no_path() {
        for good in ["alice", "a.b", "_x1", "family", "admins"] {
            assert!(is_for_hosts(good), "{good}");
        }
        for bad in [
            "",
            "root",
            "sudo",
            "docker",
            "postgres",
            "..",
            ".",
            "0",
            "-a",
            "Alice",
            "a/b",
            "a:b",
            "ä",
            "a b",
            "systemd-network",
        ] {
            assert!(!is_for_hosts(bad), "{bad}");
        }
    }
}
