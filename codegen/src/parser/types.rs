//! Types.

use super::{Parsed, Parser};
use crate::ast::{Type, TypeKind};
use crate::lexer::Kind;

impl Parser<'_> {
    pub(super) fn ty(&mut self) -> Parsed<Type> {
        self.nested(|parser| {
            let start = parser.peek().span;
            let kind = parser.type_kind()?;
            // Annotations of a type say nothing to Rust.
            if parser.is_symbol('(') {
                parser.annotations(None)?;
            }
            let span = start.to(parser.last_span());
            Ok(Type { kind, span })
        })
    }

    fn type_kind(&mut self) -> Parsed<TypeKind> {
        let Kind::Word(word) = self.peek().kind.clone() else {
            return self.complain("a type");
        };
        if word == "void" {
            return self.complain("a type");
        }
        self.at += 1;
        Ok(match word.as_str() {
            "bool" => TypeKind::Bool,
            "byte" | "i8" => TypeKind::I8,
            "i16" => TypeKind::I16,
            "i32" => TypeKind::I32,
            "i64" => TypeKind::I64,
            "double" => TypeKind::Double,
            "string" | "slist" => TypeKind::String,
            "binary" => TypeKind::Binary,
            "uuid" => TypeKind::Uuid,
            "list" => TypeKind::List(Box::new(self.element("list")?)),
            "set" => TypeKind::Set(Box::new(self.element("set")?)),
            "map" => self.map()?,
            _ => TypeKind::Named(word),
        })
    }

    fn element(&mut self, what: &str) -> Parsed<Type> {
        self.cpp_type()?;
        self.expect_symbol('<', &format!("and the type of the {what}'s elements"))?;
        let element = self.ty()?;
        self.expect_symbol('>', &format!("behind the type of the {what}'s elements"))?;
        self.cpp_type()?;
        Ok(element)
    }

    fn map(&mut self) -> Parsed<TypeKind> {
        self.cpp_type()?;
        self.expect_symbol('<', "and the types of the map's keys and values")?;
        let key = self.ty()?;
        self.expect_symbol(',', "and the type of the map's values")?;
        let value = self.ty()?;
        self.expect_symbol('>', "behind the type of the map's values")?;
        Ok(TypeKind::Map(Box::new(key), Box::new(value)))
    }

    fn cpp_type(&mut self) -> Parsed<()> {
        if self.eat_word("cpp_type") {
            self.expect_text("a C++ type in quotes")?;
        }
        Ok(())
    }
}
