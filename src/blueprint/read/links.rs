//! The links on the way to a file. Where a link is replaced, the file changes.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// More links than the system itself would follow.
const MOST: usize = 40;

/// The directory of every link that is met on the way to `path`.
pub(super) fn parents_of_links(path: &Path) -> Vec<PathBuf> {
    let mut parents = Vec::new();
    let mut way = PathBuf::new();
    let mut rest: VecDeque<OsString> = parts(path);
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            way.pop();
            continue;
        }
        let next = way.join(&part);
        match fs::read_link(&next) {
            Ok(target) => {
                parents.push(if way.as_os_str().is_empty() { ".".into() } else { way.clone() });
                if parents.len() >= MOST {
                    return parents;
                }
                if target.is_absolute() {
                    way = PathBuf::new();
                }
                for part in parts(&target).into_iter().rev() {
                    rest.push_front(part);
                }
            }
            Err(_) => way = next,
        }
    }
    parents
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let visible = path.components().filter(|part| !matches!(part, Component::CurDir));
    visible.map(|part| part.as_os_str().to_owned()).collect()
}
