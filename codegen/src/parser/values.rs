//! Constants: numbers, strings, names, lists and maps of these.

use super::{Parsed, Parser};
use crate::ast::{Value, ValueKind};
use crate::lexer::Kind;

impl Parser<'_> {
    pub(super) fn value(&mut self) -> Parsed<Value> {
        self.nested(|parser| {
            let start = parser.peek().span;
            let kind = parser.value_kind()?;
            let span = start.to(parser.last_span());
            Ok(Value { kind, span })
        })
    }

    fn value_kind(&mut self) -> Parsed<ValueKind> {
        let kind = match self.peek().kind.clone() {
            Kind::Int(number) => ValueKind::Int(number),
            Kind::Double(number) => ValueKind::Double(number),
            Kind::Text(text) => ValueKind::Text(text),
            Kind::Word(word) => ValueKind::Word(word),
            Kind::Symbol('[') => return self.list_value(),
            Kind::Symbol('{') => return self.map_value(),
            _ => return self.complain("a value: a number, a string, a name, `[...]` or `{...}`"),
        };
        self.at += 1;
        Ok(kind)
    }

    fn list_value(&mut self) -> Parsed<ValueKind> {
        self.at += 1;
        let mut values = Vec::new();
        while !self.eat_symbol(']') {
            values.push(self.value()?);
            self.eat_separator();
        }
        Ok(ValueKind::List(values))
    }

    fn map_value(&mut self) -> Parsed<ValueKind> {
        self.at += 1;
        let mut pairs = Vec::new();
        while !self.eat_symbol('}') {
            let key = self.value()?;
            self.expect_symbol(':', "and the value that belongs to this key")?;
            let value = self.value()?;
            self.eat_separator();
            pairs.push((key, value));
        }
        Ok(ValueKind::Map(pairs))
    }
}
