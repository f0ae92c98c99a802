//! Clients: a method for each of the service's.

use super::Emitter;
use super::layout::{Code, Piece};
use crate::ast::Streaming;
use crate::model::{Field, Method, Service, Type};

impl Emitter<'_> {
    pub(super) fn client(&mut self, it: &Service, methods: &[(usize, &Method)]) {
        let methods: Vec<_> = methods
            .iter()
            .map(|(file, method)| {
                (
                    *method,
                    self.client_parameters(method),
                    self.client_output(*file, method),
                    self.client_arguments(*file, method),
                )
            })
            .collect();
        let Service {
            client,
            thrift_name,
            ..
        } = it;
        let default_name = stem(&self.current().path);
        self.code.gap();
        self.code
            .line(&format!("/// Calls the methods of `{thrift_name}`."));
        self.code.line("#[derive(Clone, Debug)]");
        self.code.line(&format!("pub struct {client}(rt::Client);"));
        self.code.gap();
        self.code.block(&format!("impl {client}"), |code| {
            code.line(&format!(
                "/// Calls the instances of `{default_name}` that `channel` knows or its routers find."
            ));
            code.block("pub fn new(channel: &rt::Channel) -> Self", |code| {
                code.line(&format!("Self::named(channel, {default_name:?})"));
            });
            code.gap();
            code.line("/// Calls a service of another name.");
            code.block(
                "pub fn named(channel: &rt::Channel, service: impl Into<String>) -> Self",
                |code| {
                    code.line("Self::with(rt::Client::new(channel, service))");
                },
            );
            code.gap();
            code.line("/// Calls as `client` says.");
            code.block("pub fn with(client: rt::Client) -> Self", |code| {
                code.line("Self(client)")
            });
            for (method, parameters, output, arguments) in &methods {
                code.gap();
                code.notes(&method.notes);
                let head = format!("pub fn {}(", method.name);
                code.signature(&head, parameters, output, " {");
                let wire_name = format!("{thrift_name}::{}", method.thrift_name);
                code.indented(|code| body(code, &wire_name, method, arguments));
                code.line("}");
            }
        });
    }

    fn client_parameters(&self, method: &Method) -> Vec<Piece> {
        let mut parameters = vec![Piece::text("&self")];
        for field in &method.arguments.fields {
            let ty = self.field_type(field).flat();
            let ty = if method.streaming.request() {
                format!("impl rt::IntoValues<{}>", self.ty(&field.ty).flat())
            } else if is_into(field) {
                format!("impl Into<{ty}>")
            } else {
                ty
            };
            parameters.push(Piece::text(format!("{}: {ty}", field.name)));
        }
        parameters
    }

    fn client_output(&self, file: usize, method: &Method) -> Piece {
        let mut output = vec![Piece::text("'_"), self.returned(method)];
        if method.streaming.response() {
            output[1] = Piece::generics("rt::Streaming", vec![self.returned(method)]);
        }
        if let Some(throws) = &method.throws {
            output.push(Piece::text(self.path_in(file, &throws.name)));
        }
        let name = match method.streaming {
            Streaming::No => "rt::MethodCall",
            _ => "rt::StreamCall",
        };
        Piece::generics(name, output)
    }

    fn client_arguments(&self, file: usize, method: &Method) -> Piece {
        let path = self.path_in(file, &method.arguments.name);
        let fields = method.arguments.fields.iter().map(|field| {
            if is_into(field) {
                (
                    format!("{}: ", field.name),
                    Piece::text(format!("{}.into()", field.name)),
                )
            } else {
                (field.name.clone(), Piece::text(""))
            }
        });
        Piece::structure(&path, fields.collect())
    }
}

/// What a client's method does.
fn body(code: &mut Code, wire_name: &str, method: &Method, arguments: &Piece) {
    let call = match method.streaming {
        Streaming::No => "call",
        Streaming::Request => "sthrift_request",
        Streaming::Response => "sthrift_response",
        Streaming::Both => "sthrift_both",
    };
    let argument = if method.streaming.request() {
        method.arguments.fields[0].name.clone()
    } else {
        code.piece("let args = ", arguments, ";");
        "&args".to_owned()
    };
    let call = format!(".{call}({wire_name:?}, {argument})");
    if "self.0".len() + call.len() <= CHAIN_WIDTH {
        code.line(&format!("self.0{call}"));
    } else {
        code.line("self.0");
        code.indented(|code| code.line(&call));
    }
}

/// The name of a file without folders and ending, which its services go by unless told otherwise.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// Text and bytes are taken in whatever form the caller has them.
fn is_into(field: &Field) -> bool {
    matches!(field.ty, Type::String | Type::Binary) && !field.is_option()
}

/// Columns of a chain of calls on one line, as rustfmt has them.
const CHAIN_WIDTH: usize = 60;
