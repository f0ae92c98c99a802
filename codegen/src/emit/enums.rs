//! Enums, open to values that only newer peers name.

use super::Emitter;
use crate::model::Enum;

impl Emitter<'_> {
    pub(super) fn enumeration(&mut self, it: &Enum) {
        self.enum_type(it);
        let Enum { name, unknown, .. } = it;
        let members = || it.members.iter().filter(|member| member.alias_of.is_none());
        self.code.gap();
        self.code
            .block(&format!("impl From<i32> for {name}"), |code| {
                code.block("fn from(value: i32) -> Self", |code| {
                    code.block("match value", |code| {
                        for member in members() {
                            code.line(&format!("{} => Self::{},", member.value, member.name));
                        }
                        code.line(&format!("other => Self::{unknown}(other),"));
                    });
                });
            });
        self.code.gap();
        self.code
            .block(&format!("impl From<{name}> for i32"), |code| {
                code.block(&format!("fn from(value: {name}) -> Self"), |code| {
                    code.block("match value", |code| {
                        for member in members() {
                            code.line(&format!("{name}::{} => {},", member.name, member.value));
                        }
                        code.line(&format!("{name}::{unknown}(other) => other,"));
                    });
                });
            });
        self.code.gap();
        self.code
            .block(&format!("impl rt::Value for {name}"), |code| {
                code.line("const TYPE: rt::Type = rt::Type::I32;");
                code.gap();
                code.block(
                    "fn read_value(reader: &mut rt::Reader<'_>) -> Result<Self, rt::ReadError>",
                    |code| {
                        code.line("reader.read_i32().map(Self::from)");
                    },
                );
                code.gap();
                code.block("fn write_value(&self, writer: &mut rt::Writer)", |code| {
                    code.line("writer.write_i32((*self).into());");
                });
            });
    }

    fn enum_type(&mut self, it: &Enum) {
        let default = it.default_member();
        let derived = if default.is_some() { ", Default" } else { "" };
        let derived = format!("Clone, Copy, Debug{derived}, PartialEq, Eq, PartialOrd, Ord, Hash");
        self.code.gap();
        self.code.notes(&it.notes);
        self.derive(&derived);
        self.serde_crate();
        let Enum {
            name,
            unknown,
            members,
            ..
        } = it;
        self.code.block(&format!("pub enum {name}"), |code| {
            for (index, member) in members
                .iter()
                .enumerate()
                .filter(|(_, it)| it.alias_of.is_none())
            {
                code.notes(&member.notes);
                if Some(index) == default {
                    code.line("#[default]");
                }
                code.line(&format!("{},", member.name));
            }
            code.line("/// A value that the Thrift file does not name.");
            code.line(&format!("{unknown}(i32),"));
        });
        if members.iter().any(|member| member.alias_of.is_some()) {
            self.code.gap();
            self.code.line("#[allow(non_upper_case_globals)]");
            self.code.block(&format!("impl {name}"), |code| {
                for member in members {
                    if let Some(other) = member.alias_of {
                        code.gap();
                        code.notes(&member.notes);
                        code.line(&format!(
                            "pub const {}: Self = Self::{};",
                            member.name, members[other].name
                        ));
                    }
                }
            });
        }
        if default.is_none() {
            self.code.gap();
            self.code
                .block(&format!("impl Default for {name}"), |code| {
                    code.block("fn default() -> Self", |code| {
                        code.line(&format!("Self::{unknown}(0)"))
                    });
                });
        }
    }

    /// `#[derive(..)]`, with serde's where it was asked for.
    pub(super) fn derive(&mut self, traits: &str) {
        let serde = if self.options.serde {
            ", rt::serde::Serialize, rt::serde::Deserialize"
        } else {
            ""
        };
        let line = format!("#[derive({traits}{serde})]");
        if self.code.fits(&line) {
            self.code.line(&line);
            return;
        }
        // rustfmt puts one on each line once the list is too wide.
        self.code.line("#[derive(");
        for derived in format!("{traits}{serde}").split(", ") {
            self.code.line(&format!("    {derived},"));
        }
        self.code.line(")]");
    }

    pub(super) fn serde_crate(&mut self) {
        if self.options.serde {
            self.code.line("#[serde(crate = \"rt::serde\")]");
        }
    }
}
