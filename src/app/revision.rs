//! Which git revision the files are at, found without running git.

use std::path::{Path, PathBuf};

/// The revision of a root: a `REVISION` file in it, or the head of the repository around it.
#[must_use]
pub fn find(roots: &[PathBuf]) -> Option<String> {
    roots.iter().find_map(|root| written(root).or_else(|| head(root)))
}

fn written(root: &Path) -> Option<String> {
    let text = std::fs::read_to_string(root.join("REVISION")).ok()?;
    plausible(text.trim())
}

fn head(root: &Path) -> Option<String> {
    let start = root.canonicalize().ok()?;
    let git = start.ancestors().map(|at| at.join(".git")).find(|git| git.is_dir())?;
    let head = std::fs::read_to_string(git.join("HEAD")).ok()?;
    let head = head.trim();
    let Some(name) = head.strip_prefix("ref: ") else { return plausible(head) };
    if name.contains("..") || name.starts_with('/') {
        return None;
    }
    let loose = std::fs::read_to_string(git.join(name)).ok();
    loose.as_deref().map(str::trim).and_then(plausible).or_else(|| packed(&git, name))
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(git.join("packed-refs")).ok()?;
    let line =
        text.lines().find_map(|line| line.split_once(' ').filter(|(_, known)| *known == name));
    plausible(line?.0)
}

/// A revision is a short word; a digest is cut to twelve characters.
fn plausible(text: &str) -> Option<String> {
    let word = !text.is_empty()
        && text.len() <= 64
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c));
    let digest = text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    word.then(|| if digest { text.chars().take(12).collect() } else { text.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_file_goes_before_the_repository() {
        let dir = tempfile::tempdir().expect("a directory");
        let git = dir.path().join(".git");
        std::fs::create_dir_all(git.join("refs/heads")).expect("made");
        std::fs::write(git.join("HEAD"), "ref: refs/heads/main\n").expect("written");
        let digest = "9f8e7d6c5b4a39281706f5e4d3c2b1a098765432";
        std::fs::write(git.join("refs/heads/main"), format!("{digest}\n")).expect("written");
        let root = dir.path().join("blueprints");
        std::fs::create_dir(&root).expect("made");
        assert_eq!(find(std::slice::from_ref(&root)).as_deref(), Some("9f8e7d6c5b4a"));
        std::fs::write(root.join("REVISION"), "v1.2\n").expect("written");
        assert_eq!(find(&[root]).as_deref(), Some("v1.2"));
    }
}
