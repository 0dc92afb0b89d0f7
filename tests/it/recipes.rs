//! The recipes: the table names each of them, and says the addresses that its blueprint declares.

use std::collections::BTreeSet;
use std::path::Path;

const RECIPES: &str = "docs/recipes";
const TABLE: &str = "README.md";

/// A row of the table.
struct Row {
    /// The file that the first cell leads to.
    file: String,
    /// The cells in code style, without the quotes.
    addresses: BTreeSet<String>,
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).expect("a readable page")
}

/// The rows whose first cell leads to a page beside the table.
fn rows() -> Vec<Row> {
    let text = read(&Path::new(RECIPES).join(TABLE));
    text.lines().filter_map(row).collect()
}

fn row(line: &str) -> Option<Row> {
    let mut cells = line.strip_prefix('|')?.split('|');
    let (_, link) = cells.next()?.split_once("](")?;
    let (file, _) = link.split_once(')')?;
    let addresses = cells.nth(1)?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    Some(Row { file: file.to_owned(), addresses })
}

fn files() -> BTreeSet<String> {
    let entries = std::fs::read_dir(RECIPES).expect("the recipes are there");
    let paths = entries.map(|entry| entry.expect("a page").path());
    let pages = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
    pages.filter_map(|path| name(&path)).filter(|name| name != TABLE).collect()
}

fn name(path: &Path) -> Option<String> {
    Some(path.file_name()?.to_str()?.to_owned())
}

/// What follows `redirect-uri` on lines of the KDL blocks.
fn declared(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut in_kdl = false;
    for line in text.lines().map(str::trim) {
        match line.strip_prefix("```") {
            Some(info) => in_kdl = info.split_whitespace().next() == Some("kdl"),
            None if in_kdl => found.extend(address(line)),
            None => {}
        }
    }
    found
}

fn address(line: &str) -> Option<String> {
    let rest = line.strip_prefix("redirect-uri \"")?;
    Some(rest.split_once('"')?.0.to_owned())
}

#[test]
fn every_recipe_is_in_the_table_and_the_reverse() {
    let rows = rows();
    let named: BTreeSet<String> = rows.iter().map(|row| row.file.clone()).collect();
    assert_eq!(named.len(), rows.len(), "a recipe stands in the table twice");
    assert_eq!(named, files());
}

#[test]
fn the_table_says_the_redirect_uris_of_the_recipes() {
    for row in rows() {
        let declared = declared(&read(&Path::new(RECIPES).join(&row.file)));
        assert_eq!(row.addresses, declared, "{}", row.file);
    }
}

#[test]
fn addresses_are_found_in_kdl_blocks_alone() {
    let text = "```text\nredirect-uri \"a\"\n```\n```kdl\n    redirect-uri \"b\" // and why\n\
                post-logout-redirect-uri \"c\"\n```\nredirect-uri \"d\"\n";
    assert_eq!(declared(text), BTreeSet::from(["b".to_owned()]));
}
