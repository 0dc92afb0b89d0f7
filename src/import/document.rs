//! The objects of a blueprint that an import writes, and the files that they go to.

use super::carried::Report;
use super::kdl::Line;
use super::yaml::Place;
use crate::blueprint::diagnostic::Diagnostic;

/// A little less than a blueprint file may hold.
const MOST: usize = 900 * 1024;

/// Which file an object belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    #[default]
    Settings,
    People,
    Policies,
    Flows,
    Apps,
}

impl Part {
    fn name(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::People => "people",
            Self::Policies => "policies",
            Self::Flows => "flows",
            Self::Apps => "apps",
        }
    }
}

/// An object and the line that it came from.
#[derive(Clone, Debug)]
struct Object {
    part: Part,
    line: Line,
    from: Place,
    what: String,
    gone: bool,
}

#[derive(Clone, Debug, Default)]
pub struct Document {
    objects: Vec<Object>,
}

impl Document {
    pub(super) fn push(&mut self, part: Part, line: Line, from: &Place, what: impl Into<String>) {
        let what = what.into();
        self.objects.push(Object { part, line, from: from.clone(), what, gone: false });
    }

    pub(super) fn has_settings(&self) -> bool {
        self.objects.iter().any(|object| object.line.name() == "settings")
    }

    /// File names and their text, in the order to be read in.
    #[must_use]
    pub fn files(&self) -> Vec<(String, String)> {
        self.sheets().into_iter().map(|sheet| (sheet.name(), sheet.text)).collect()
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<String> = self.sheets().into_iter().map(|sheet| sheet.text).collect();
        texts.join("\n")
    }

    pub(super) fn sheets(&self) -> Vec<Sheet> {
        let mut order: Vec<(usize, &Object)> = self.objects.iter().enumerate().collect();
        order.sort_by_key(|(_, object)| object.part);
        let mut sheets: Vec<Sheet> = Vec::new();
        for (at, object) in order {
            let text = object.line.render();
            let number = match sheets.last() {
                Some(last) if last.part != object.part => 1,
                Some(last) if last.text.len() + text.len() < MOST => last.number,
                Some(last) => last.number + 1,
                None => 1,
            };
            let same = |sheet: &&mut Sheet| sheet.part == object.part && sheet.number == number;
            match sheets.last_mut().filter(same) {
                Some(sheet) => sheet.add(at, &object.line, &text),
                None => {
                    let mut sheet = Sheet { part: object.part, number, ..Sheet::default() };
                    sheet.add(at, &object.line, &text);
                    sheets.push(sheet);
                }
            }
        }
        sheets
    }

    /// Takes out what a complaint about an offset of a sheet is about, and tells why: a rule that
    /// never decides, a line of the settings, or else the whole object. False if it has to stay.
    /// Complaints come from the end of a sheet to its beginning, so that lines stay where they are.
    pub(super) fn take_out(
        &mut self,
        sheet: &Sheet,
        offset: usize,
        complaint: &Diagnostic,
        report: &mut Report,
    ) -> bool {
        let line = sheet.text.get(..offset).unwrap_or(&sheet.text).matches('\n').count();
        let found = sheet.objects.iter().rfind(|(first, _)| *first <= line);
        let Some((first, object)) =
            found.and_then(|(first, at)| Some((first, self.objects.get_mut(*at)?)))
        else {
            return false;
        };
        if object.gone {
            return true;
        }
        let cut = match (complaint.code, object.line.name()) {
            ("blueprint::unreachable-rule", _) => object.line.cut(line - first),
            (_, "settings") if line > *first + 1 => object.line.cut_kid(line - first),
            (_, "settings") => return false,
            _ => None,
        };
        object.gone = cut.is_none();
        let place = cut.as_ref().and_then(Line::place).unwrap_or(&object.from);
        match complaint.code {
            "blueprint::unreachable-rule" => {
                report.changed(
                    place,
                    object.what.clone(),
                    "a rule above decides already: left out",
                );
            }
            _ => report.not_carried(place, object.what.clone(), complaint.message.clone()),
        }
        true
    }

    /// Lets go of what was marked.
    pub(super) fn settle(&mut self) {
        self.objects.retain(|object| !object.gone);
    }
}

/// A file in the making.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    part: Part,
    number: usize,
    pub(super) text: String,
    lines: usize,
    /// The first line of each object, from 0, and its number.
    objects: Vec<(usize, usize)>,
}

impl Sheet {
    pub(super) fn name(&self) -> String {
        match self.number {
            1 => format!("{}.kdl", self.part.name()),
            more => format!("{}-{more}.kdl", self.part.name()),
        }
    }

    /// An empty line stands before a block.
    fn add(&mut self, object: usize, line: &Line, text: &str) {
        if line.has_kids() && !self.text.is_empty() {
            self.text.push('\n');
            self.lines += 1;
        }
        self.objects.push((self.lines, object));
        self.text.push_str(text);
        self.lines += text.matches('\n').count();
    }
}
