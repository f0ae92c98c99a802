//! Lists of fields: of structs, of arguments, of exceptions.

use super::{Complained, Parsed, Parser};
use crate::ast::{Field, Name, Requiredness};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;

impl Parser<'_> {
    /// Fields up to `close`, which is eaten.
    pub(super) fn fields(&mut self, close: char, owner: &Name) -> Parsed<Vec<Field>> {
        let mut fields = Vec::new();
        while !self.eat_symbol(close) {
            let is_over = self.at_definition() && close == '}';
            if is_over || self.peek().kind == Kind::End {
                return self.unclosed("a field", owner);
            }
            match self.field(close) {
                Ok(field) => fields.push(field),
                Err(Complained) if close == '}' => self.skip_field(),
                Err(complained) => return Err(complained),
            }
        }
        Ok(fields)
    }

    fn field(&mut self, close: char) -> Parsed<Field> {
        let doc = self.take_doc();
        let id = self.field_id(close)?;
        let requiredness = if self.eat_word("required") {
            Requiredness::Required
        } else if self.eat_word("optional") {
            Requiredness::Optional
        } else {
            Requiredness::Default
        };
        let ty = self.ty()?;
        // A C++ hint for recursive types; here the recursion is found without it.
        self.eat_symbol('&');
        let name = self.expect_name("the field's name")?;
        let default = if self.eat_symbol('=') {
            Some(self.value()?)
        } else {
            None
        };
        self.eat_word("xsd_optional");
        self.eat_word("xsd_nillable");
        let notes = self.annotations(doc)?;
        if !self.at_end_of_field(close) {
            return self.complain(&format!("`,`, `;` or `{close}` behind the field"));
        }
        self.eat_separator();
        Ok(Field {
            id,
            requiredness,
            ty,
            name,
            default,
            notes,
        })
    }

    fn at_end_of_field(&self, close: char) -> bool {
        let is_separator = matches!(self.peek().kind, Kind::Symbol(',' | ';') | Kind::End);
        // Fields on lines of their own need no separator.
        is_separator
            || self.is_symbol(close)
            || matches!(self.peek().kind, Kind::Int(_))
            || self.at_definition()
    }

    fn field_id(&mut self, close: char) -> Parsed<i16> {
        let token = self.peek().clone();
        let Kind::Int(id) = token.kind else {
            if matches!(token.kind, Kind::Word(_)) {
                let error = Diagnostic::new(
                    token.span,
                    "a field has no id",
                    "expected an id such as `1:`",
                )
                .help("without an id, a field's place on the wire would be its place in the file");
                return self.complain_with(error);
            }
            return self.complain(&format!("a field such as `1: string name`, or `{close}`"));
        };
        self.at += 1;
        self.expect_symbol(':', "behind the field's id")?;
        match i16::try_from(id) {
            Ok(id @ 1..) => Ok(id),
            _ => {
                let title = format!("{id} is no field id");
                self.errors
                    .push(Diagnostic::new(token.span, title, "expected 1 to 32767"));
                // The rest of the field may hold further errors.
                Ok(i16::MAX)
            }
        }
    }

    /// Goes behind the field that could not be read.
    fn skip_field(&mut self) {
        let start = self.at;
        loop {
            let begins_field = matches!(self.peek().kind, Kind::Int(_))
                && self.peek_behind().kind == Kind::Symbol(':');
            match self.peek().kind {
                Kind::End | Kind::Symbol('}') => return,
                Kind::Symbol(',' | ';') => {
                    self.at += 1;
                    return;
                }
                _ if self.at_definition() || (begins_field && self.at > start) => return,
                _ if self.line_ends_here() => {
                    self.at += 1;
                    return;
                }
                _ => self.at += 1,
            }
        }
    }
}
