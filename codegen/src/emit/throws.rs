//! What a method throws: an enum of its exceptions.

use super::Emitter;
use crate::model::Throws;

impl Emitter<'_> {
    pub(super) fn throws(&mut self, method: &str, it: &Throws) {
        let exceptions: Vec<_> = it
            .exceptions
            .iter()
            .map(|thrown| (thrown, self.struct_path(thrown.exception)))
            .collect();
        let Throws { name, .. } = it;
        self.code.gap();
        self.code.line(&format!("/// What `{method}` throws."));
        self.code.line("#[derive(Clone, Debug, PartialEq)]");
        self.code.block(&format!("pub enum {name}"), |code| {
            for (thrown, path) in &exceptions {
                code.line(&format!("{}({path}),", thrown.variant));
            }
        });
        self.code.gap();
        self.code
            .block(&format!("impl rt::Throws for {name}"), |code| {
                code.block(READ, |code| {
                    let head = "reader.read_fields(|reader, field, it| match field.id";
                    code.block_with_tail(head, "})", |code| {
                        for (thrown, _) in &exceptions {
                            let (id, variant) = (thrown.id, &thrown.variant);
                            let slot = format!("*it = Some(Self::{variant}(value))");
                            code.line(&format!("{id} => reader.read_with(field, |value| {slot}),"));
                        }
                        code.line("_ => reader.skip(field.ty),");
                    });
                });
                code.gap();
                code.block("fn write(&self, writer: &mut rt::Writer)", |code| {
                    code.block("match self", |code| {
                        for (thrown, _) in &exceptions {
                            let (id, variant) = (thrown.id, &thrown.variant);
                            code.line(&format!("Self::{variant}(it) => writer.put({id}, it),"));
                        }
                    });
                    code.line("writer.write_stop();");
                });
            });
        for (index, (thrown, path)) in exceptions.iter().enumerate() {
            // Of two fields with one type, the first is what `?` makes.
            if exceptions[..index]
                .iter()
                .any(|(other, _)| other.exception == thrown.exception)
            {
                continue;
            }
            self.code.gap();
            self.code.block(
                &format!("impl From<{path}> for rt::MethodError<{name}>"),
                |code| {
                    code.block(&format!("fn from(it: {path}) -> Self"), |code| {
                        let variant = format!("{name}::{}(", thrown.variant);
                        let call = format!("Self::Exception({variant}it))");
                        // It gives up on names that are too long by themselves.
                        let is_wide = variant.len() + "it)".len() > CALL_WIDTH;
                        if !is_wide || variant.len() > CALL_WIDTH {
                            code.line(&call);
                        } else {
                            code.line(&format!("Self::Exception({variant}"));
                            code.indented(|code| code.line("it,"));
                            code.line("))");
                        }
                    });
                },
            );
        }
    }
}

/// Columns of a call's arguments on one line, as rustfmt has them.
const CALL_WIDTH: usize = 60;
const READ: &str = "fn read(reader: &mut rt::Reader<'_>) -> Result<Option<Self>, rt::ReadError>";
