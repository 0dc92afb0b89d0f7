//! `doorward show`.

use anyhow::bail;
use clap::Args;

use super::Installation;
use crate::blueprint::object::{Kind, Object};
use crate::blueprint::source::Sources;
use crate::blueprint::tree::{Node, Scalar, Spelling, Value};

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  doorward show                 every object\n  doorward show app:sonarr      one, after templates and variables are filled in"
)]
pub struct Show {
    /// The object, such as app:sonarr or group:admins
    #[arg(value_name = "KIND:NAME")]
    object: Option<String>,
    #[command(flatten)]
    at: Installation,
    /// Print for scripts
    #[arg(long)]
    json: bool,
}

impl Show {
    pub fn run(self) -> anyhow::Result<u8> {
        let (blueprint, sources) = super::blueprint(&self.at)?;
        match &self.object {
            None => self.list(&blueprint.objects, &sources),
            Some(name) => {
                let object = find(&blueprint.objects, name)?;
                self.one(object, &sources)
            }
        }
    }

    fn list(&self, objects: &[Object], sources: &Sources) -> anyhow::Result<u8> {
        if self.json {
            let all: Vec<_> = objects.iter().map(|object| line(object, sources)).collect();
            super::print_json(&serde_json::json!(all))?;
            return Ok(0);
        }
        let mut text = String::new();
        for object in objects {
            let name = format!("{}:{}", object.kind.word(), object.slug.value);
            text += &format!("{name:<40} {}\n", sources.place(object.at));
        }
        super::print(&text)?;
        Ok(0)
    }

    fn one(&self, object: &Object, sources: &Sources) -> anyhow::Result<u8> {
        let place = sources.place(object.at);
        let via = object.node.origin.as_ref().map(|origin| {
            format!(", by template {} used at {}", origin.template, sources.place(origin.used_at))
        });
        let text = format!("// {place}{}\n{}", via.unwrap_or_default(), kdl(&object.node, 0));
        if self.json {
            let mut value = line(object, sources);
            if let Some(map) = value.as_object_mut() {
                map.insert("kdl".to_owned(), text.into());
            }
            super::print_json(&value)?;
        } else {
            super::print(&text)?;
        }
        Ok(0)
    }
}

fn line(object: &Object, sources: &Sources) -> serde_json::Value {
    serde_json::json!({
        "kind": object.kind.word(),
        "name": object.slug.value,
        "at": sources.place(object.at),
        "protect": object.protect,
    })
}

/// The object of a name such as `app:sonarr`; a bare name will do where only one kind has it.
fn find<'a>(objects: &'a [Object], name: &str) -> anyhow::Result<&'a Object> {
    let (kind, slug) = match name.split_once(':') {
        Some((kind, slug)) => (Some(kind), slug),
        None => (None, name),
    };
    if let Some(kind) = kind
        && Kind::from_word(kind).is_none()
    {
        let kinds: Vec<_> = Kind::ALL.iter().map(|kind| kind.word()).collect();
        bail!("`{kind}` is not a kind of object; there are: {}", kinds.join(", "));
    }
    let fits = |object: &&Object| {
        object.slug.value == slug && kind.is_none_or(|kind| kind == object.kind.word())
    };
    let found: Vec<_> = objects.iter().filter(fits).collect();
    match found.as_slice() {
        [one] => Ok(one),
        [] => {
            let names = objects.iter().map(|object| object.slug.value.as_str());
            match crate::blueprint::suggest::nearest(slug, names) {
                Some(near) => bail!("there is no `{name}`; did you mean `{near}`?"),
                None => bail!("there is no `{name}`; `doorward show` lists what there is"),
            }
        }
        several => {
            let all: Vec<_> =
                several.iter().map(|object| format!("{}:{slug}", object.kind.word())).collect();
            bail!("several kinds have this name: {}", all.join(", "))
        }
    }
}

/// A node as text, the way a person would write it.
fn kdl(node: &Node, depth: usize) -> String {
    let indent = "    ".repeat(depth);
    let mut text = format!("{indent}{}", node.name.text);
    for value in &node.args {
        text += &format!(" {}", shown(value));
    }
    for prop in &node.props {
        text += &format!(" {}={}", prop.name.text, shown(&prop.value));
    }
    if node.kids.is_empty() {
        return text + "\n";
    }
    text += " {\n";
    node.kids.iter().for_each(|kid| text += &kdl(kid, depth + 1));
    text + &indent + "}\n"
}

fn shown(value: &Value) -> String {
    let tag = value.tag.as_ref().map(|tag| format!("({})", tag.text)).unwrap_or_default();
    let text = match &value.scalar {
        Scalar::Text(text) if value.spelling == Spelling::Bare => text.clone(),
        Scalar::Text(text) if text.contains('\n') => format!("#\"\"\"\n{text}\n\"\"\"#"),
        Scalar::Text(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        Scalar::Whole(number) => number.to_string(),
        Scalar::Decimal(number) => number.to_string(),
        Scalar::Truth(truth) => format!("#{truth}"),
        Scalar::Null => "#null".to_owned(),
    };
    tag + &text
}
