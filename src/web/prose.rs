//! Plain text that an owner wrote, such as terms, as blocks of a page: headings begin with `#`,
//! items of a list with `-` or `*`, and an empty line ends a paragraph. Nothing in it is markup.

use serde::Serialize;

/// One block of text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "text", rename_all = "kebab-case")]
pub enum Block {
    Heading(String),
    Paragraph(String),
    List(Vec<String>),
}

/// The blocks of a text, in order.
#[must_use]
pub fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut is_open = false;
    for line in text.lines().map(str::trim) {
        let item = line.strip_prefix("- ").or_else(|| line.strip_prefix("* "));
        match (item, found.last_mut()) {
            _ if line.is_empty() => is_open = false,
            _ if line.starts_with('#') => {
                found.push(Block::Heading(line.trim_start_matches('#').trim().to_owned()));
                is_open = false;
            }
            (Some(item), Some(Block::List(items))) => items.push(item.to_owned()),
            (Some(item), _) => {
                found.push(Block::List(vec![item.to_owned()]));
                is_open = true;
            }
            (None, Some(Block::Paragraph(text))) if is_open => *text = format!("{text} {line}"),
            (None, Some(Block::List(items))) if is_open => {
                if let Some(last) = items.last_mut() {
                    *last = format!("{last} {line}");
                }
            }
            (None, _) => {
                found.push(Block::Paragraph(line.to_owned()));
                is_open = true;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_paragraphs_and_lists_are_told_apart() {
        let text = "# House rules\n\nBe kind\nand quiet.\n\n- no <b>shoes</b>\n- no smoke\n  inside\n\nThanks.";
        assert_eq!(
            blocks(text),
            [
                Block::Heading("House rules".into()),
                Block::Paragraph("Be kind and quiet.".into()),
                Block::List(vec!["no <b>shoes</b>".into(), "no smoke inside".into()]),
                Block::Paragraph("Thanks.".into()),
            ]
        );
        assert_eq!(blocks(" \n\n"), []);
    }
}
