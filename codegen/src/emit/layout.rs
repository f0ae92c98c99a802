//! Lines of code, laid out as rustfmt would, so that neither it nor a parser of Rust is needed.

use crate::ast::Notes;

/// Code that is being written, one line after the other.
#[derive(Debug, Default)]
pub(super) struct Code {
    text: String,
    depth: usize,
}

impl Code {
    /// Code that stands `depth` braces deep.
    pub(super) fn at_depth(depth: usize) -> Self {
        Self {
            text: String::new(),
            depth,
        }
    }

    pub(super) fn finish(self) -> String {
        self.text
    }

    pub(super) fn line(&mut self, line: &str) {
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n(INDENT, self.depth));
            self.text.push_str(line);
        }
        self.text.push('\n');
    }

    /// Whether the line is not too long.
    pub(super) fn fits(&self, line: &str) -> bool {
        self.depth * INDENT.len() + line.len() <= WIDTH
    }

    /// Text that must stay as it is, such as the inside of a literal.
    pub(super) fn verbatim(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// A line with a literal that may have lines of its own.
    pub(super) fn text(&mut self, before: &str, literal: &str, after: &str) {
        self.text.extend(std::iter::repeat_n(INDENT, self.depth));
        self.text.extend([before, literal, after, "\n"]);
    }

    /// An empty line, unless a block has just begun.
    pub(super) fn gap(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with("{\n") && !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    /// `head {`, what `body` writes, and `}`.
    pub(super) fn block(&mut self, head: &str, body: impl FnOnce(&mut Self)) {
        self.block_with_tail(head, "}", body);
    }

    pub(super) fn block_with_tail(&mut self, head: &str, tail: &str, body: impl FnOnce(&mut Self)) {
        self.line(&format!("{head} {{"));
        self.indented(body);
        self.line(tail);
    }

    pub(super) fn indented(&mut self, body: impl FnOnce(&mut Self)) {
        self.depth += 1;
        body(self);
        self.depth -= 1;
    }

    /// `piece` between `before` and `after`, broken over lines where it is too wide.
    pub(super) fn piece(&mut self, before: &str, piece: &Piece, after: &str) {
        let laid_out = piece.layout(self.depth, before.len(), after.len());
        self.line(&format!("{before}{laid_out}{after}"));
    }

    /// A function's head: on one line if it fits, else a parameter on each. `tail` is what stands behind the
    /// type of the output.
    pub(super) fn signature(
        &mut self,
        head: &str,
        parameters: &[Piece],
        output: &Piece,
        tail: &str,
    ) {
        let flat: Vec<_> = parameters.iter().map(Piece::flat).collect();
        let call = format!("{head}{})", flat.join(", "));
        let returns = format!("-> {}{tail}", output.flat());
        let width = self.depth * INDENT.len() + call.len() + 1 + returns.len();
        // rustfmt keeps a column free behind a declaration, unless its output stands on a line of its own.
        match width {
            WIDTH if tail.ends_with(';') => {
                self.line(&call);
                self.line(&returns);
            }
            ..=WIDTH => self.line(&format!("{call} {returns}")),
            _ => {
                self.line(head);
                for parameter in flat {
                    self.line(&format!("{INDENT}{parameter},"));
                }
                self.output(output, tail);
            }
        }
    }

    /// What stands behind parameters that have a line each.
    fn output(&mut self, output: &Piece, tail: &str) {
        let flat = format!(") -> {}", output.flat());
        let width = self.depth * INDENT.len() + flat.len();
        // As rustfmt has it: where a brace or a bound does not fit, it goes to the next line.
        let (one_line, two_lines) = match tail.ends_with(';') {
            true => (width <= WIDTH, width == WIDTH + 1),
            false => (width + tail.len() <= WIDTH - 4, width <= WIDTH + 2),
        };
        if one_line {
            self.line(&format!("{flat}{tail}"));
        } else if two_lines {
            self.line(&flat);
            self.line(tail.trim_start());
        } else {
            let output = output.layout(self.depth, ") -> ".len(), 0);
            self.line(&format!(") -> {output}{tail}"));
        }
    }

    /// What was said about a definition, as rustdoc.
    pub(super) fn notes(&mut self, notes: &Notes) {
        if let Some(doc) = &notes.doc {
            self.doc(doc);
        }
        if notes.annotations.is_empty() {
            return;
        }
        if notes.doc.is_some() {
            self.line("///");
        }
        let annotations = notes.annotations.iter().map(|(name, value)| match value {
            Some(value) => format!("{name} = {value:?}"),
            None => name.clone(),
        });
        let annotations = annotations.collect::<Vec<_>>().join(", ").replace('`', "'");
        self.line(&format!("/// Annotated in Thrift: `({annotations})`."));
    }

    /// Text from a Thrift file, so that rustdoc takes nothing in it for markup it has to complain about.
    pub(super) fn doc(&mut self, text: &str) {
        let mut is_code = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with("```") {
                is_code = !is_code;
                self.line(if is_code { "/// ```text" } else { "/// ```" });
            } else if is_code {
                self.line(format!("/// {line}").trim_end());
            } else {
                self.line(format!("/// {}", escaped(line)).trim_end());
            }
        }
        if is_code {
            self.line("/// ```");
        }
    }
}

/// Keeps links, tags and bare addresses from being taken for such.
fn escaped(line: &str) -> String {
    let mut escaped = String::with_capacity(line.len());
    let mut is_quoted = false;
    for word in line.split_inclusive(' ') {
        if !is_quoted && (word.starts_with("http://") || word.starts_with("https://")) {
            let address = word.trim_end();
            escaped += &format!("<{address}>{}", &word[address.len()..]);
            continue;
        }
        for c in word.chars() {
            is_quoted ^= c == '`';
            if !is_quoted && "[]<>".contains(c) {
                escaped.push('\\');
            }
            escaped.push(c);
        }
    }
    // A lone backquote would quote all that follows, other lines included.
    if is_quoted {
        escaped.replace('`', "'")
    } else {
        escaped
    }
}

/// A part of a line that may be broken between its items.
#[derive(Clone, Debug)]
pub(super) enum Piece {
    Text(String),
    Group(Group),
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    kind: GroupKind,
    open: String,
    items: Vec<(String, Piece)>,
    close: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum GroupKind {
    /// Arguments of a type, parameters: broken when the line is full.
    Generics,
    /// A call or a tuple.
    Call,
    Array,
    Struct,
}

impl Piece {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub(super) fn generics(name: &str, items: Vec<Self>) -> Self {
        Self::group(GroupKind::Generics, format!("{name}<"), items, ">")
    }

    /// `name<binding = value>`.
    pub(super) fn binding(name: &str, binding: &str, value: Self) -> Self {
        Self::Group(Group {
            kind: GroupKind::Generics,
            open: format!("{name}<"),
            items: vec![(format!("{binding} = "), value)],
            close: ">".to_owned(),
        })
    }

    pub(super) fn call(open: impl Into<String>, items: Vec<Self>, close: &str) -> Self {
        Self::group(GroupKind::Call, open.into(), items, close)
    }

    pub(super) fn array(open: &str, items: Vec<Self>, close: &str) -> Self {
        Self::group(GroupKind::Array, open.to_owned(), items, close)
    }

    /// `name { field: value }`; an item without a value stands for `..rest`.
    pub(super) fn structure(name: &str, items: Vec<(String, Self)>) -> Self {
        Self::Group(Group {
            kind: GroupKind::Struct,
            open: format!("{name} {{"),
            items,
            close: "}".to_owned(),
        })
    }

    fn group(kind: GroupKind, open: String, items: Vec<Self>, close: &str) -> Self {
        let items = items
            .into_iter()
            .map(|item| (String::new(), item))
            .collect();
        Self::Group(Group {
            kind,
            open,
            items,
            close: close.to_owned(),
        })
    }

    /// On one line, whatever its width.
    pub(super) fn flat(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Group(group) => {
                let body = group.body();
                match group.kind {
                    GroupKind::Struct if !body.is_empty() => {
                        format!("{} {body} {}", group.open, group.close)
                    }
                    _ => format!("{}{body}{}", group.open, group.close),
                }
            }
        }
    }

    fn fits_flat(&self, room: usize) -> bool {
        let Self::Group(group) = self else {
            return self.flat().len() <= room;
        };
        let max = match group.kind {
            GroupKind::Generics => usize::MAX,
            // Two brackets belong to the argument when a call has an array for its only one.
            GroupKind::Call if group.open.ends_with("([") => 58,
            GroupKind::Call | GroupKind::Array => 60,
            GroupKind::Struct => 18,
        };
        self.flat().len() <= room
            && group.body().len() <= max
            && group
                .items
                .iter()
                .all(|(_, item)| item.fits_flat(usize::MAX))
    }

    /// At `depth`, behind `before` columns and with `after` to follow on the last line.
    fn layout(&self, depth: usize, before: usize, after: usize) -> String {
        let indent = depth * INDENT.len();
        let room = WIDTH.saturating_sub(indent + before + after);
        match self {
            Self::Group(group) if !self.fits_flat(room) && !group.items.is_empty() => {
                group.broken(depth)
            }
            _ => self.flat(),
        }
    }
}

impl Group {
    fn body(&self) -> String {
        let items: Vec<_> = self
            .items
            .iter()
            .map(|(before, item)| format!("{before}{}", item.flat()))
            .collect();
        items.join(", ")
    }

    fn broken(&self, depth: usize) -> String {
        let inner = INDENT.repeat(depth + 1);
        let is_short = |(_, item): &(String, Piece)| item.flat().len() <= 10;
        let lines = if self.kind == GroupKind::Array && self.items.iter().all(is_short) {
            self.filled(depth)
        } else {
            let lines = self.items.iter().map(|(before, item)| {
                let comma = if before == ".." { "" } else { "," };
                format!(
                    "{inner}{before}{}{comma}\n",
                    item.layout(depth + 1, before.len(), 1)
                )
            });
            lines.collect()
        };
        format!(
            "{}\n{lines}{}{}",
            self.open,
            INDENT.repeat(depth),
            self.close
        )
    }

    /// As many short items on a line as there is room for.
    fn filled(&self, depth: usize) -> String {
        let inner = INDENT.repeat(depth + 1);
        let mut lines = vec![inner.clone()];
        for (_, item) in &self.items {
            let item = item.flat();
            let line = lines.last_mut().expect("begins with one");
            let gap = usize::from(line.len() > inner.len());
            if line.len() + gap + item.len() + 1 > WIDTH {
                lines.push(format!("{inner}{item},"));
            } else {
                *line += &format!("{}{item},", " ".repeat(gap));
            }
        }
        lines.join("\n") + "\n"
    }
}

/// Columns of a line, as rustfmt has them.
const WIDTH: usize = 100;
const INDENT: &str = "    ";
