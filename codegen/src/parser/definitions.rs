//! Files, and what stands at their top level.

use super::{Complained, Parsed, Parser, notes};
use crate::ast::{
    Const, Definition, Document, Enum, Member, Method, Name, Service, Struct, StructKind, Typedef,
};
use crate::diagnostic::Diagnostic;
use crate::lexer::Kind;

impl Parser<'_> {
    pub(super) fn document(&mut self) -> Document {
        let mut document = Document::default();
        while self.peek().kind != Kind::End {
            if self.item(&mut document).is_err() {
                self.skip_to_definition();
            }
        }
        document
    }

    fn item(&mut self, document: &mut Document) -> Parsed<()> {
        let doc = self.take_doc();
        let Kind::Word(keyword) = self.peek().kind.clone() else {
            return self.complain(A_DEFINITION);
        };
        match keyword.as_str() {
            "include" => {
                self.at += 1;
                let path = self.expect_text("the path of a file in quotes")?;
                document.includes.push(path);
            }
            "cpp_include" => {
                self.at += 1;
                self.expect_text("the path of a header in quotes")?;
            }
            "namespace" => self.namespace(document)?,
            _ => {
                let definition = self.definition(&keyword, doc)?;
                document.definitions.push(definition);
            }
        }
        self.eat_separator();
        Ok(())
    }

    fn namespace(&mut self, document: &mut Document) -> Parsed<()> {
        self.at += 1;
        let is_rust = self.is_word("rs");
        if !self.eat_symbol('*') {
            self.expect_path("the language of the namespace, or `*` for all")?;
        }
        let name = match &self.peek().kind {
            Kind::Text(_) => self.expect_text("a namespace")?,
            _ => self.expect_path("the namespace's name")?,
        };
        self.annotations(None)?;
        if is_rust {
            document.namespace = Some(name);
        }
        Ok(())
    }

    fn definition(&mut self, keyword: &str, doc: Option<String>) -> Parsed<Definition> {
        let start = self.next().span;
        Ok(match keyword {
            "const" => Definition::Const(self.constant(doc)?),
            "typedef" => Definition::Typedef(self.typedef(doc)?),
            "enum" => Definition::Enum(self.enumeration(doc)?),
            "struct" => Definition::Struct(self.structure(StructKind::Struct, doc)?),
            "union" => Definition::Struct(self.structure(StructKind::Union, doc)?),
            "exception" => Definition::Struct(self.structure(StructKind::Exception, doc)?),
            "service" => Definition::Service(self.service(doc)?),
            "senum" => {
                let error = Diagnostic::new(start, "`senum` is not supported", "expected `enum`")
                    .help("Thrift itself gave string enums up: use an `enum`, or a `string`");
                return self.complain_with(error);
            }
            _ => {
                self.at -= 1;
                return self.complain(A_DEFINITION);
            }
        })
    }

    fn constant(&mut self, doc: Option<String>) -> Parsed<Const> {
        let ty = self.ty()?;
        let name = self.expect_name("the constant's name")?;
        self.expect_symbol('=', "and the constant's value")?;
        let value = self.value()?;
        let notes = self.annotations(doc)?;
        Ok(Const {
            ty,
            name,
            value,
            notes,
        })
    }

    fn typedef(&mut self, doc: Option<String>) -> Parsed<Typedef> {
        let ty = self.ty()?;
        let name = self.expect_name("the new name of the type")?;
        let notes = self.annotations(doc)?;
        Ok(Typedef { ty, name, notes })
    }

    fn enumeration(&mut self, doc: Option<String>) -> Parsed<Enum> {
        let name = self.expect_name("the enum's name")?;
        self.expect_symbol('{', "and the members of the enum")?;
        let mut members: Vec<Member> = Vec::new();
        while !self.eat_symbol('}') {
            let next = members
                .last()
                .map_or(Some(0), |last| last.value.checked_add(1));
            members.push(self.member(&name, next)?);
        }
        let notes = self.annotations(doc)?;
        Ok(Enum {
            name,
            members,
            notes,
        })
    }

    fn member(&mut self, owner: &Name, next: Option<i32>) -> Parsed<Member> {
        let doc = self.take_doc();
        if self.at_definition() || self.peek().kind == Kind::End {
            return self.unclosed("a member of the enum", owner);
        }
        let name = self.expect_name("a member of the enum, or `}`")?;
        let value = if self.eat_symbol('=') {
            self.member_value()?
        } else {
            next.ok_or(Complained).or_else(|Complained| {
                let error = Diagnostic::new(
                    name.span,
                    format!("the member `{}` has no value left", name.text),
                    "the member above has the greatest that 32 bits hold: give this one `= ...`",
                );
                self.complain_with(error)
            })?
        };
        let notes = self.annotations(doc)?;
        self.eat_separator();
        Ok(Member { name, value, notes })
    }

    fn member_value(&mut self) -> Parsed<i32> {
        let token = self.peek().clone();
        let Kind::Int(value) = token.kind else {
            return self.complain("the member's value, a whole number");
        };
        self.at += 1;
        i32::try_from(value).or_else(|_| {
            let title = format!("the enum value {value} does not fit 32 bits");
            self.complain_with(Diagnostic::new(
                token.span,
                title,
                "expected -2147483648 to 2147483647",
            ))
        })
    }

    fn structure(&mut self, kind: StructKind, doc: Option<String>) -> Parsed<Struct> {
        let what = match kind {
            StructKind::Struct => "the struct's name",
            StructKind::Union => "the union's name",
            StructKind::Exception => "the exception's name",
        };
        let name = self.expect_name(what)?;
        self.eat_word("xsd_all");
        self.expect_symbol('{', "and the fields")?;
        let fields = self.fields('}', &name)?;
        let notes = self.annotations(doc)?;
        Ok(Struct {
            kind,
            name,
            fields,
            notes,
        })
    }

    fn service(&mut self, doc: Option<String>) -> Parsed<Service> {
        let name = self.expect_name("the service's name")?;
        let parent = if self.eat_word("extends") {
            Some(self.expect_path("the service that is extended")?)
        } else {
            None
        };
        self.expect_symbol('{', "and the methods of the service")?;
        let mut methods = Vec::new();
        while !self.eat_symbol('}') {
            if self.at_definition() || self.peek().kind == Kind::End {
                return self.unclosed("a method of the service", &name);
            }
            let start = self.at;
            match self.method() {
                Ok(method) => methods.extend(method),
                Err(Complained) => self.skip_method(start),
            }
        }
        let notes = self.annotations(doc)?;
        Ok(Service {
            name,
            parent,
            methods,
            notes,
        })
    }

    /// A method, or `None` for a refused one of which the rest could be read.
    fn method(&mut self) -> Parsed<Option<Method>> {
        let doc = self.take_doc();
        let start = self.peek().span;
        let is_oneway = matches!(&self.peek_behind().kind, Kind::Word(_))
            && (self.eat_word("oneway") || self.eat_word("async"));
        let returns = if self.eat_word("void") {
            None
        } else {
            Some(self.ty()?)
        };
        let name = self.expect_name("the method's name")?;
        self.expect_symbol('(', "and the arguments of the method")?;
        let arguments = self.fields(')', &name)?;
        let throws = if self.eat_word("throws") {
            self.expect_symbol('(', "and the exceptions")?;
            self.fields(')', &name)?
        } else {
            Vec::new()
        };
        let annotations = self.annotation_list()?;
        self.eat_separator();
        if is_oneway {
            let title = format!("`{}` is oneway, which TChannel can not carry", name.text);
            let error = Diagnostic::new(start, title, "expected a method that answers")
                .help("every TChannel call has a response: drop `oneway`, and let the caller not wait for it");
            self.errors.push(error);
            return Ok(None);
        }
        Ok(Some(Method {
            name,
            returns,
            arguments,
            throws,
            notes: notes(doc, &annotations),
            annotations,
        }))
    }

    /// Goes behind the method that begins at `start` and could not be read.
    fn skip_method(&mut self, start: usize) {
        let complained_at = std::mem::replace(&mut self.at, start);
        let mut open = 0_usize;
        loop {
            match self.peek().kind {
                Kind::End => return,
                Kind::Symbol('}') => return,
                _ if self.at_definition() => return,
                Kind::Symbol('(') => open += 1,
                Kind::Symbol(')') => open = open.saturating_sub(1),
                Kind::Symbol(',' | ';') if open == 0 && self.at >= complained_at => {
                    self.at += 1;
                    return;
                }
                _ => {}
            }
            let line_ends = self.line_ends_here();
            self.at += 1;
            if open == 0 && line_ends && self.at > complained_at {
                return;
            }
        }
    }

    /// Complains that the braces of `owner` do not close.
    pub(super) fn unclosed<T>(&mut self, what: &str, owner: &Name) -> Parsed<T> {
        let found = self.peek();
        let title = format!("`{}` is not closed", owner.text);
        let error = Diagnostic::new(found.span, title, format!("expected {what}, or `}}`"))
            .context(owner.span, "this one");
        self.complain_with(error)
    }
}

const A_DEFINITION: &str = "`include`, `namespace`, `const`, `typedef`, `enum`, `struct`, `union`, `exception` or `service`";
