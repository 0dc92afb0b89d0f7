//! JSON with the place of every item (RFC 8259). It stops at the first mistake: a program wrote it.

/// Deeper files are refused; a tree of nodes needs three levels for each block.
const MAX_DEPTH: usize = 128;

/// An item and where it stands.
pub(super) struct Item {
    pub json: Json,
    pub start: usize,
    pub end: usize,
}

pub(super) enum Json {
    Object(Vec<Field>),
    Array(Vec<Item>),
    Text(String),
    Whole(i128),
    Decimal(f64),
    Truth(bool),
    Null,
}

pub(super) struct Field {
    pub key: Key,
    pub item: Item,
}

pub(super) struct Key {
    pub text: String,
    pub start: usize,
    pub end: usize,
}

/// Where the text is not JSON, and what was expected.
pub(super) struct Wrong {
    pub at: usize,
    pub what: &'static str,
}

pub(super) fn read(text: &str) -> Result<Item, Wrong> {
    let start = if text.starts_with('\u{FEFF}') { '\u{FEFF}'.len_utf8() } else { 0 };
    let mut reader = Reader { text, at: start };
    let item = reader.item(0)?;
    reader.space();
    if reader.at < text.len() {
        return Err(reader.wrong("the file should end here"));
    }
    Ok(item)
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn wrong(&self, what: &'static str) -> Wrong {
        Wrong { at: self.at, what }
    }

    fn space(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn takes(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn item(&mut self, depth: usize) -> Result<Item, Wrong> {
        if depth > MAX_DEPTH {
            return Err(self.wrong("this nests too deeply"));
        }
        self.space();
        let start = self.at;
        let json = match self.rest().chars().next() {
            Some('{') => self.object(depth)?,
            Some('[') => self.array(depth)?,
            Some('"') => Json::Text(self.text()?),
            Some(c) if c == '-' || c.is_ascii_digit() => self.number()?,
            _ if self.takes("true") => Json::Truth(true),
            _ if self.takes("false") => Json::Truth(false),
            _ if self.takes("null") => Json::Null,
            _ => return Err(self.wrong("a value belongs here")),
        };
        Ok(Item { json, start, end: self.at })
    }

    fn array(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.at += 1;
        let mut items = Vec::new();
        self.space();
        if self.takes("]") {
            return Ok(Json::Array(items));
        }
        loop {
            items.push(self.item(depth + 1)?);
            self.space();
            if self.takes("]") {
                return Ok(Json::Array(items));
            }
            if !self.takes(",") {
                return Err(self.wrong("`,` or `]` belongs here"));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, Wrong> {
        self.at += 1;
        let mut fields: Vec<Field> = Vec::new();
        self.space();
        if self.takes("}") {
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            let start = self.at;
            if !self.rest().starts_with('"') {
                return Err(self.wrong("a name in quotes belongs here"));
            }
            let key = Key { text: self.text()?, start, end: self.at };
            if fields.iter().any(|field| field.key.text == key.text) {
                return Err(Wrong { at: start, what: "this name stands here twice" });
            }
            self.space();
            if !self.takes(":") {
                return Err(self.wrong("`:` belongs here"));
            }
            let item = self.item(depth + 1)?;
            fields.push(Field { key, item });
            self.space();
            if self.takes("}") {
                return Ok(Json::Object(fields));
            }
            if !self.takes(",") {
                return Err(self.wrong("`,` or `}` belongs here"));
            }
        }
    }

    fn text(&mut self) -> Result<String, Wrong> {
        let rest = self.rest();
        let mut escaped = false;
        for (at, c) in rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let written = rest.get(..=at).unwrap_or("");
                    let text = serde_json::from_str(written)
                        .map_err(|_| self.wrong("this text holds a wrong escape or character"))?;
                    self.at += at + 1;
                    return Ok(text);
                }
                _ => {}
            }
        }
        Err(self.wrong("this text is never closed"))
    }

    fn number(&mut self) -> Result<Json, Wrong> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let written = rest.get(..rest.find(|c| !is_part(c)).unwrap_or(rest.len())).unwrap_or("");
        let whole = written.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let number = match serde_json::from_str::<serde_json::Number>(written) {
            Err(_) => None,
            Ok(_) if whole => written.parse().ok().map(Json::Whole),
            Ok(_) => written.parse().ok().map(Json::Decimal),
        };
        let number = number.ok_or_else(|| self.wrong("this is no number"))?;
        self.at += written.len();
        Ok(number)
    }
}
