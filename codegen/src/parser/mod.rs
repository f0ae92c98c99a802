//! Tokens to [`Document`]. A complaint ends one field or one definition; parsing goes on behind it.

mod definitions;
mod fields;
mod types;
mod values;

use crate::ast::{Annotation, Document, Name, Notes};
use crate::diagnostic::{Diagnostic, SourceId, Span};
use crate::lexer::{self, Kind, Token};

/// Parses one file. The document holds what could be read, the complaints go to `errors`.
pub(crate) fn parse(source: SourceId, text: &str, errors: &mut Vec<Diagnostic>) -> Document {
    let tokens = lexer::tokens(source, text, errors);
    let mut parser = Parser {
        tokens,
        at: 0,
        depth: 0,
        errors,
    };
    parser.document()
}

/// Something was complained about, and the parser has to find a place to go on from.
#[derive(Debug)]
struct Complained;

type Parsed<T> = Result<T, Complained>;

struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    errors: &'a mut Vec<Diagnostic>,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        &self.tokens[self.at]
    }

    /// The token after the next one.
    fn peek_behind(&self) -> &Token {
        &self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        if token.kind != Kind::End {
            self.at += 1;
        }
        token
    }

    /// Where the token before the next one stands.
    fn last_span(&self) -> Span {
        self.tokens[self.at.saturating_sub(1)].span
    }

    fn is_symbol(&self, symbol: char) -> bool {
        self.peek().kind == Kind::Symbol(symbol)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.peek().kind, Kind::Word(found) if found == word)
    }

    fn eat_symbol(&mut self, symbol: char) -> bool {
        let found = self.is_symbol(symbol);
        self.at += usize::from(found);
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    fn expect_symbol(&mut self, symbol: char, why: &str) -> Parsed<Span> {
        let span = self.peek().span;
        if self.eat_symbol(symbol) {
            return Ok(span);
        }
        self.complain(&format!("`{symbol}` {why}"))
    }

    /// A name without dots.
    fn expect_name(&mut self, what: &str) -> Parsed<Name> {
        let name = self.expect_path(what)?;
        if name.text.contains('.') {
            let title = format!("the name `{}` has a dot", name.text);
            let label = "expected letters, digits and underscores";
            self.errors.push(Diagnostic::new(name.span, title, label));
        }
        Ok(name)
    }

    /// A name that may have dots.
    fn expect_path(&mut self, what: &str) -> Parsed<Name> {
        match &self.peek().kind {
            Kind::Word(text) => {
                let (text, span) = (text.clone(), self.peek().span);
                self.at += 1;
                Ok(Name { text, span })
            }
            _ => self.complain(what),
        }
    }

    fn expect_text(&mut self, what: &str) -> Parsed<Name> {
        match &self.peek().kind {
            Kind::Text(text) => {
                let (text, span) = (text.clone(), self.peek().span);
                self.at += 1;
                Ok(Name { text, span })
            }
            _ => self.complain(what),
        }
    }

    /// Complains that something else stands where `what` was expected.
    fn complain<T>(&mut self, what: &str) -> Parsed<T> {
        let found = self.peek();
        let title = format!("expected {what}, found {}", describe(&found.kind));
        let error = Diagnostic::new(found.span, title, format!("expected {what}"));
        self.complain_with(error)
    }

    fn complain_with<T>(&mut self, error: Diagnostic) -> Parsed<T> {
        self.errors.push(error);
        Err(Complained)
    }

    /// Runs `parse` one level deeper, unless that is too deep.
    fn nested<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth == MAX_NESTING {
            let error = Diagnostic::new(
                self.peek().span,
                format!("this nests deeper than {MAX_NESTING}"),
                "expected something simpler; no peer would read it either",
            );
            return self.complain_with(error);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    /// Whether the next token is the last of its line.
    fn line_ends_here(&self) -> bool {
        self.peek_behind().begins_line
    }

    fn eat_separator(&mut self) {
        if !self.eat_symbol(',') {
            self.eat_symbol(';');
        }
    }

    fn take_doc(&mut self) -> Option<String> {
        self.tokens[self.at].doc.take()
    }

    /// `(name = "value", name)`, if it stands here, put to what is known of the definition.
    fn annotations(&mut self, doc: Option<String>) -> Parsed<Notes> {
        Ok(notes(doc, &self.annotation_list()?))
    }

    fn annotation_list(&mut self) -> Parsed<Vec<Annotation>> {
        let mut annotations = Vec::new();
        if self.eat_symbol('(') {
            while !self.eat_symbol(')') {
                let name =
                    self.expect_path("an annotation such as `deprecated = \"why\"`, or `)`")?;
                let value = if self.eat_symbol('=') {
                    Some(self.expect_text("the annotation's value in quotes")?)
                } else {
                    None
                };
                annotations.push(Annotation { name, value });
                self.eat_separator();
            }
        }
        Ok(annotations)
    }

    /// Whether a definition begins here: a keyword, and a name behind it.
    fn at_definition(&self) -> bool {
        let Kind::Word(word) = &self.peek().kind else {
            return false;
        };
        let behind = &self.peek_behind().kind;
        match word.as_str() {
            "include" | "cpp_include" => matches!(behind, Kind::Text(_)),
            word => KEYWORDS.contains(&word) && matches!(behind, Kind::Word(_)),
        }
    }

    /// Goes to where the next definition begins.
    fn skip_to_definition(&mut self) {
        while self.peek().kind != Kind::End && !self.at_definition() {
            self.at += 1;
        }
    }
}

fn notes(doc: Option<String>, annotations: &[Annotation]) -> Notes {
    let texts = annotations.iter().map(|annotation| {
        let value = annotation.value.as_ref().map(|value| value.text.clone());
        (annotation.name.text.clone(), value)
    });
    Notes {
        doc,
        annotations: texts.collect(),
    }
}

fn describe(kind: &Kind) -> String {
    match kind {
        Kind::Word(word) => format!("`{word}`"),
        Kind::Int(number) => format!("`{number}`"),
        Kind::Double(number) => format!("`{number}`"),
        Kind::Text(_) => "a string".to_owned(),
        Kind::Symbol(symbol) => format!("`{symbol}`"),
        Kind::End => "the end of the file".to_owned(),
    }
}

const KEYWORDS: [&str; 9] = [
    "namespace",
    "const",
    "typedef",
    "enum",
    "senum",
    "struct",
    "union",
    "exception",
    "service",
];

/// Types or constants within each other; what the runtime reads nests no deeper either.
const MAX_NESTING: usize = 64;
