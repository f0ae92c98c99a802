//! Interfaces for people to read.
//!
//! ```text
//! KeyValue: Thrift service of keyvalue.thrift
//!
//!   get(key: string) -> string
//!     The value under `key`.
//!     fails with NotFound
//!     $ hyperbahn call keyvalue::get '{"key":"text"}'
//!
//!   exception NotFound
//!     key: string
//! ```

use std::fmt::{self, Write};

use super::{
    Description, FieldDescription, InterfaceDescription, MethodDescription, TypeDescription,
};

impl Description {
    /// What a terminal shows. `flags` stand in the commands to try, such as ` --peer 127.0.0.1:4040`.
    #[must_use]
    pub fn text(&self, flags: &str) -> String {
        let mut text = Text {
            lines: String::new(),
            flags,
        };
        for interface in &self.interfaces {
            text.interface(interface);
        }
        // Docs come from anybody, and a terminal obeys control characters.
        let shown = text.lines.trim_end().chars().map(|c| match c {
            '\n' => "\n".to_owned(),
            c if c.is_control() => c.escape_default().to_string(),
            c => c.to_string(),
        });
        shown.collect()
    }
}

struct Text<'a> {
    lines: String,
    flags: &'a str,
}

impl Text<'_> {
    fn line(&mut self, indent: usize, text: impl fmt::Display) {
        writeln!(self.lines, "{:indent$}{text}", "").expect("a string takes all");
    }

    fn gap(&mut self) {
        self.lines.push('\n');
    }

    fn docs(&mut self, indent: usize, docs: Option<&String>) {
        for line in docs.into_iter().flat_map(|docs| docs.trim().lines()) {
            match line.trim_end() {
                "" => self.gap(),
                line => self.line(indent, line),
            }
        }
    }

    fn interface(&mut self, it: &InterfaceDescription) {
        let InterfaceDescription { name, scheme, .. } = it;
        match &it.file {
            Some(file) => self.line(0, format_args!("{name}: Thrift service of {file}")),
            None => self.line(0, format_args!("{name}: trait over {scheme}")),
        }
        self.docs(2, it.docs.as_ref());
        for method in &it.methods {
            self.gap();
            self.method(method);
        }
        for ty in &it.types {
            self.gap();
            self.ty(ty);
        }
        self.gap();
    }

    fn method(&mut self, it: &MethodDescription) {
        self.line(2, signature(it));
        self.docs(4, it.docs.as_ref());
        let told = it
            .arguments
            .iter()
            .filter(|argument| argument.docs.is_some());
        for argument in told {
            self.field(4, argument);
        }
        if !it.errors.is_empty() {
            self.line(4, format_args!("fails with {}", it.errors.join(", ")));
        }
        if it.idempotent {
            self.line(4, "may be tried again");
        }
        if let Some(ttl_ms) = it.ttl_ms {
            self.line(4, format_args!("callers wait {ttl_ms} ms"));
        }
        for (name, value) in &it.annotations {
            match value.as_str() {
                "" => self.line(4, format_args!("({name})")),
                value => self.line(4, format_args!("({name} = {value:?})")),
            }
        }
        let command = command(it, self.flags);
        self.line(4, format_args!("$ {command}"));
    }

    fn ty(&mut self, it: &TypeDescription) {
        let TypeDescription { kind, name, .. } = it;
        match &it.stands_for {
            Some(other) => self.line(2, format_args!("{kind} {name} = {other}")),
            None => self.line(2, format_args!("{kind} {name}")),
        }
        self.docs(4, it.docs.as_ref());
        for field in &it.fields {
            self.field(4, field);
        }
        for member in &it.members {
            match member.value {
                Some(value) => self.line(4, format_args!("{} = {value}", member.name)),
                None => self.line(4, &member.name),
            }
            self.docs(6, member.docs.as_ref());
        }
    }

    fn field(&mut self, indent: usize, it: &FieldDescription) {
        self.line(indent, field(it));
        self.docs(indent + 2, it.docs.as_ref());
    }
}

/// A command that a shell takes as it is.
fn command(method: &MethodDescription, flags: &str) -> String {
    let target = quoted(&method.target);
    let body = match method.arguments.is_empty() && method.request_stream.is_none() {
        true => String::new(),
        false => format!(" {}", quoted(&method.example.to_string())),
    };
    format!("hyperbahn call{flags} {target}{body}")
}

/// As one word of a shell.
fn quoted(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-:./".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

fn signature(it: &MethodDescription) -> String {
    let mut arguments: Vec<String> = it.arguments.iter().map(field).collect();
    arguments.extend(it.request_stream.iter().map(|ty| format!("stream of {ty}")));
    let result = match (&it.response_stream, &it.returns) {
        (Some(ty), _) => format!(" -> stream of {ty}"),
        (None, Some(ty)) => format!(" -> {ty}"),
        (None, None) => String::new(),
    };
    format!("{}({}){result}", it.name, arguments.join(", "))
}

/// `name: type`, with a `?` behind the name of what may be left out.
fn field(it: &FieldDescription) -> String {
    let FieldDescription { name, ty, .. } = it;
    let mark = if it.required { "" } else { "?" };
    match &it.default {
        Some(default) => format!("{name}{mark}: {ty} = {default}"),
        None => format!("{name}{mark}: {ty}"),
    }
}
