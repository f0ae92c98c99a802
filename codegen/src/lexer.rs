//! Text to tokens. What is no token is complained about and passed over.

use crate::diagnostic::{Diagnostic, SourceId, Span};

/// A token, where it stands, and the doc comment right before it.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) span: Span,
    pub(crate) doc: Option<String>,
    /// Whether a line begins between the token before and this one.
    pub(crate) begins_line: bool,
}

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A word, keywords among them; it may have dots.
    Word(String),
    Int(i64),
    Double(f64),
    /// Between quotes, escapes resolved.
    Text(String),
    Symbol(char),
    End,
}

/// All tokens of `text`, the last of them [`Kind::End`].
pub(crate) fn tokens(source: SourceId, text: &str, errors: &mut Vec<Diagnostic>) -> Vec<Token> {
    let mut lexer = Lexer {
        source,
        text,
        at: 0,
        doc: None,
        errors,
    };
    let mut tokens = Vec::new();
    while let Some(token) = lexer.next() {
        tokens.push(token);
    }
    let end = lexer.span(text.trim_end().len());
    tokens.push(Token {
        kind: Kind::End,
        span: Span {
            end: end.start,
            ..end
        },
        doc: None,
        begins_line: true,
    });
    tokens
}

struct Lexer<'a> {
    source: SourceId,
    text: &'a str,
    at: usize,
    doc: Option<String>,
    errors: &'a mut Vec<Diagnostic>,
}

impl<'a> Lexer<'a> {
    fn next(&mut self) -> Option<Token> {
        let before = self.at;
        loop {
            self.skip_blanks();
            let start = self.at;
            let first = self.rest().chars().next()?;
            let kind = match first {
                '_' => Some(self.word()),
                c if c.is_alphabetic() => Some(self.word()),
                '"' | '\'' => Some(self.literal(first)),
                '0'..='9' | '+' | '-' | '.' => self.number(),
                '{' | '}' | '(' | ')' | '[' | ']' | '<' | '>' | ',' | ';' | ':' | '=' | '*'
                | '&' => {
                    self.at += 1;
                    Some(Kind::Symbol(first))
                }
                _ => self.stranger(),
            };
            if let Some(kind) = kind {
                return Some(Token {
                    kind,
                    span: self.span(start),
                    doc: self.doc.take(),
                    begins_line: self.text[before..start].contains('\n'),
                });
            }
        }
    }

    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    fn span(&self, start: usize) -> Span {
        Span {
            source: self.source,
            start,
            end: self.at,
        }
    }

    /// Moves on while `admits` and gives what was passed.
    fn take_while(&mut self, admits: impl Fn(char) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.find(|c| !admits(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn skip_blanks(&mut self) {
        loop {
            self.take_while(|c| c.is_whitespace() || c == '\u{feff}');
            let rest = self.rest();
            if rest.starts_with("/*") {
                self.block_comment();
            } else if rest.starts_with("//") || rest.starts_with('#') {
                self.line_comment();
            } else {
                return;
            }
        }
    }

    fn line_comment(&mut self) {
        let line = self.take_while(|c| c != '\n');
        if let Some(doc) = line.strip_prefix("///").filter(|doc| !doc.starts_with('/')) {
            let doc = doc.trim();
            self.doc = Some(match self.doc.take() {
                Some(above) => format!("{above}\n{doc}"),
                None => doc.to_owned(),
            });
        }
    }

    fn block_comment(&mut self) {
        let start = self.at;
        let Some(length) = self.rest()[2..].find("*/") else {
            self.at += 2;
            let span = self.span(start);
            self.at = self.text.len();
            self.errors.push(Diagnostic::new(
                span,
                "a comment does not end",
                "expected `*/` somewhere after this",
            ));
            return;
        };
        let body = &self.rest()[2..2 + length];
        self.at += length + 4;
        if let Some(doc) = body.strip_prefix('*').filter(|doc| !doc.is_empty()) {
            self.doc = Some(without_stars(doc));
        }
    }

    fn word(&mut self) -> Kind {
        let start = self.at;
        let word = self.take_while(|c| c.is_alphanumeric() || c == '_' || c == '.');
        if !word.is_ascii() {
            let title = format!("the name `{word}` has letters that Thrift does not know");
            let label = "expected only a to z, A to Z, digits and underscores";
            self.errors
                .push(Diagnostic::new(self.span(start), title, label));
        }
        Kind::Word(word.to_owned())
    }

    fn literal(&mut self, quote: char) -> Kind {
        let start = self.at;
        self.at += 1;
        let mut text = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((offset, c)) = chars.next() {
            match c {
                c if c == quote => {
                    self.at += offset + 1;
                    return Kind::Text(text);
                }
                '\\' => match chars.next() {
                    Some((_, 'n')) => text.push('\n'),
                    Some((_, 't')) => text.push('\t'),
                    Some((_, 'r')) => text.push('\r'),
                    Some((_, c @ ('\\' | '"' | '\''))) => text.push(c),
                    Some((_, other)) => text.extend(['\\', other]),
                    None => break,
                },
                '\n' => break,
                c => text.push(c),
            }
        }
        // Without its other quote a literal is taken to end with its line.
        self.take_while(|c| c != '\n');
        self.errors.push(Diagnostic::new(
            self.span(start),
            "a string does not end",
            format!("expected a closing {quote}"),
        ));
        Kind::Text(self.text[start + 1..self.at].to_owned())
    }

    fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        let sign = self.rest().chars().next().filter(|c| "+-".contains(*c));
        self.at += sign.map_or(0, |_| 1);
        let radix = if self.rest().starts_with("0x") || self.rest().starts_with("0X") {
            self.at += 2;
            16
        } else {
            10
        };
        let digits = self.take_while(|c| c.is_digit(radix));
        let is_double = radix == 10 && self.fraction_and_exponent();
        let text = &self.text[start..self.at];
        let number = if is_double {
            text.parse()
                .ok()
                .filter(|number: &f64| number.is_finite())
                .map(Kind::Double)
        } else {
            let digits = if sign == Some('-') {
                format!("-{digits}")
            } else {
                digits.to_owned()
            };
            i64::from_str_radix(&digits, radix).ok().map(Kind::Int)
        };
        if number.is_none() {
            // A lone sign or dot has moved nowhere far; the next token begins behind it.
            self.at = self.at.max(start + 1);
            let (title, label) = if text.chars().any(|c| c.is_ascii_digit()) {
                (
                    format!("{text} is too large"),
                    "expected a number of at most 64 bits",
                )
            } else {
                (
                    format!("{} is no number", &self.text[start..self.at]),
                    "expected digits here",
                )
            };
            self.errors
                .push(Diagnostic::new(self.span(start), title, label));
        }
        number
    }

    fn fraction_and_exponent(&mut self) -> bool {
        let before = self.at;
        let mut after_dot = self.rest().chars().skip(1);
        if self.rest().starts_with('.') && after_dot.next().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let exponent = self.rest().strip_prefix(['e', 'E']).map(|rest| {
            let digits = rest.strip_prefix(['+', '-']).unwrap_or(rest);
            (rest.len() - digits.len() + 1, digits)
        });
        if let Some((sign, digits)) = exponent
            && digits.starts_with(|c: char| c.is_ascii_digit())
        {
            self.at += sign;
            self.take_while(|c| c.is_ascii_digit());
        }
        self.at > before
    }

    fn stranger(&mut self) -> Option<Kind> {
        let start = self.at;
        self.take_while(|c| {
            !c.is_whitespace() && !c.is_alphanumeric() && !c.is_ascii_punctuation()
        });
        // Punctuation that Thrift has no use for, such as `@`, is passed one by one.
        if self.at == start {
            self.at += self.rest().chars().next().map_or(0, char::len_utf8);
        }
        let span = self.span(start);
        self.errors.push(Diagnostic::new(
            span,
            format!("{:?} means nothing in Thrift", &self.text[span.range()]),
            "expected a name, a number, a string or punctuation",
        ));
        None
    }
}

/// The text of a doc comment, without the stars that some put before each line.
fn without_stars(doc: &str) -> String {
    let lines = doc.lines().map(|line| {
        let line = line.trim();
        line.strip_prefix('*').unwrap_or(line).trim()
    });
    lines.collect::<Vec<_>>().join("\n").trim().to_owned()
}
