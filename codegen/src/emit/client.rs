//! Clients: a method for each of the service's.

use super::Emitter;
use super::layout::Piece;
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
                code.signature(&head, parameters, &format!(") -> {output} {{"));
                code.indented(|code| {
                    code.piece("let args = ", arguments, ";");
                    let wire_name = format!("{thrift_name}::{}", method.thrift_name);
                    code.line(&format!("self.0.call({wire_name:?}, &args)"));
                });
                code.line("}");
            }
        });
    }

    fn client_parameters(&self, method: &Method) -> Vec<Piece> {
        let mut parameters = vec![Piece::text("&self")];
        for field in &method.arguments.fields {
            let ty = self.field_type(field).flat();
            let ty = if is_into(field) {
                format!("impl Into<{ty}>")
            } else {
                ty
            };
            parameters.push(Piece::text(format!("{}: {ty}", field.name)));
        }
        parameters
    }

    fn client_output(&self, file: usize, method: &Method) -> String {
        let returns = method
            .returns
            .as_ref()
            .map_or("()".to_owned(), |ty| self.ty(ty).flat());
        match &method.throws {
            Some(throws) => format!(
                "rt::MethodCall<'_, {returns}, {}>",
                self.path_in(file, &throws.name)
            ),
            None => format!("rt::MethodCall<'_, {returns}>"),
        }
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

/// The name of a file without folders and ending, which its services go by unless told otherwise.
fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.split_once('.').map_or(name, |(stem, _)| stem)
}

/// Text and bytes are taken in whatever form the caller has them.
fn is_into(field: &Field) -> bool {
    matches!(field.ty, Type::String | Type::Binary) && !field.is_option()
}
