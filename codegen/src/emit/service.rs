//! Services: a trait to implement, and how it becomes a service on a channel.

use super::Emitter;
use super::layout::{Code, Piece};
use crate::ast::Streaming;
use crate::model::{Method, Ref, Service};

impl<'a> Emitter<'a> {
    pub(super) fn service(&mut self, it: &'a Service) {
        let methods = self.with_inherited(it);
        self.service_trait(it, &methods);
        self.client(it, &methods);
        for method in &it.methods {
            let name = format!("{}::{}", it.thrift_name, method.thrift_name);
            // A request that is a stream holds values of the argument's type, nothing else.
            if !method.streaming.request() {
                self.code.gap();
                self.code.line(&format!("/// The arguments of `{name}`."));
                self.plain_struct(&method.arguments);
                self.reading_and_writing(&method.arguments);
            }
            if let Some(throws) = &method.throws {
                self.throws(&name, throws);
            }
        }
    }

    /// Inherited methods first, each with the file it is from.
    fn with_inherited(&self, it: &'a Service) -> Vec<(usize, &'a Method)> {
        let model = self.model;
        let mut generations = vec![(self.file, it)];
        let mut parent = it.parent;
        while let Some(at) = parent {
            generations.push((at.file, model.service(at)));
            parent = model.service(at).parent;
        }
        let methods = generations.into_iter().rev();
        methods
            .flat_map(|(file, service)| service.methods.iter().map(move |method| (file, method)))
            .collect()
    }

    fn service_trait(&mut self, it: &Service, methods: &[(usize, &Method)]) {
        let bound = match it.parent {
            Some(Ref { file, .. }) => {
                let parent = &self.model.service(it.parent.expect("was matched")).name;
                self.path_in(file, parent)
            }
            None => "Send + Sync + 'static".to_owned(),
        };
        let signatures: Vec<_> = it
            .methods
            .iter()
            .map(|method| (method, self.signature(method)))
            .collect();
        let registrations: Vec<_> = methods
            .iter()
            .map(|(file, method)| self.registration(*file, method))
            .collect();
        let (it_itself, value) = match it.is_extended {
            true => ("it: Self", "it"),
            false => ("self", "self"),
        };
        self.code.gap();
        self.code.notes(&it.notes);
        if it.notes.doc.is_none() {
            self.code.line(&format!(
                "/// The methods of `{}`, for a server to implement.",
                it.thrift_name
            ));
        }
        self.code
            .block(&format!("pub trait {}: {bound}", it.name), |code| {
                for (method, (parameters, output)) in &signatures {
                    code.gap();
                    code.notes(&method.notes);
                    code.signature(
                        &format!("fn {}(", method.name),
                        parameters,
                        output,
                        " + Send;",
                    );
                }
                code.gap();
                code.line("/// What `Service::serve` of a channel takes.");
                if it.is_extended {
                    code.line("///");
                    code.line(EXTENDED);
                }
                code.line(&format!("fn into_service({it_itself}) -> rt::TypedService"));
                code.line("where");
                code.line("    Self: Sized,");
                code.line("{");
                code.indented(|code| {
                    let name = &it.thrift_name;
                    code.line(&format!(
                        "rt::TypedService::new({name:?}, INTERFACE, {value})"
                    ));
                    code.indented(|code| {
                        registrations.iter().for_each(|method| method.write(code));
                        code.line(".finish()");
                    });
                });
                code.line("}");
            });
    }

    fn signature(&self, method: &Method) -> (Vec<Piece>, Piece) {
        let mut parameters = vec![Piece::text("&self")];
        for field in &method.arguments.fields {
            let ty = if method.streaming.request() {
                Piece::generics("rt::Streaming", vec![self.ty(&field.ty)])
            } else {
                self.field_type(field)
            };
            parameters.push(Piece::text(format!("{}: {}", field.name, ty.flat())));
        }
        let mut returns = self.returned(method);
        if method.streaming.response() {
            returns = Piece::generics("impl rt::Values", vec![returns]);
        }
        let error = match &method.throws {
            Some(throws) => {
                Piece::generics("rt::MethodError", vec![Piece::text(throws.name.as_str())])
            }
            None => Piece::text("rt::MethodError"),
        };
        let result = Piece::generics("Result", vec![returns, error]);
        let output = Piece::binding("impl rt::Future", "Output", result);
        (parameters, output)
    }

    /// What a method returns, or each of the values where that is a stream.
    pub(super) fn returned(&self, method: &Method) -> Piece {
        let returns = method.returns.as_ref();
        returns.map_or(Piece::text("()"), |ty| self.ty(ty))
    }

    fn registration(&self, file: usize, method: &Method) -> Registration {
        let arguments = self.path_in(file, &method.arguments.name);
        let values: Vec<_> = method
            .arguments
            .fields
            .iter()
            .map(|field| format!("args.{}", field.name))
            .collect();
        let binding = if values.is_empty() { "_" } else { "args" };
        let (call, parameters, value) = match method.streaming {
            Streaming::No => ("method", format!("it, {binding}: {arguments}"), values),
            Streaming::Request => ("sthrift_request", "it, values".to_owned(), one("values")),
            Streaming::Response => (
                "sthrift_response",
                format!("it, {binding}: {arguments}, out"),
                values,
            ),
            Streaming::Both => ("sthrift_both", "it, values, out".to_owned(), one("values")),
        };
        let value = value.join(", ");
        let name = &method.name;
        let body = if method.streaming.response() {
            vec![
                format!("let values = it.{name}({value});"),
                "out.send_all(values).await".to_owned(),
            ]
        } else {
            vec![format!("it.{name}({value}).await")]
        };
        Registration {
            call: format!(".{call}("),
            name: format!("{:?}", method.thrift_name),
            closure: format!("|{parameters}| async move {{"),
            body,
        }
    }
}

fn one(value: &str) -> Vec<String> {
    vec![value.to_owned()]
}

/// How a method is put into its service: a call with a name and a closure.
struct Registration {
    call: String,
    name: String,
    closure: String,
    body: Vec<String>,
}

impl Registration {
    /// As rustfmt has it: on one line if that is short, else each argument on one if the closure is short, else
    /// the body on its own.
    fn write(&self, code: &mut Code) {
        let Self {
            call,
            name,
            closure,
            body,
        } = self;
        let short = match &body[..] {
            [only] => Some(format!("{closure} {only} }}")),
            _ => None,
        };
        let short = short.filter(|closure| closure.len() <= CALL_WIDTH);
        let head = format!("{call}{name}, {closure}");
        match short {
            Some(closure) if name.len() + 2 + closure.len() <= CALL_WIDTH => {
                code.line(&format!("{call}{name}, {closure})"));
            }
            Some(closure) => write_arguments(code, call, &[name, &closure]),
            None if code.fits(&head) => {
                code.line(&head);
                code.indented(|code| body.iter().for_each(|line| code.line(line)));
                code.line("})");
            }
            None => {
                code.line(call);
                code.indented(|code| {
                    code.line(&format!("{name},"));
                    code.line(closure);
                    code.indented(|code| body.iter().for_each(|line| code.line(line)));
                    code.line("},");
                });
                code.line(")");
            }
        }
    }
}

fn write_arguments(code: &mut Code, call: &str, arguments: &[&str]) {
    code.line(call);
    code.indented(|code| {
        for argument in arguments {
            code.line(&format!("{argument},"));
        }
    });
    code.line(")");
}

/// Columns of a call's arguments on one line, as rustfmt has them.
const CALL_WIDTH: usize = 60;
/// Why the method of a trait that others extend is none: on what implements both, it would be ambiguous.
const EXTENDED: &str =
    "/// Not a method, so that `.into_service()` is that of the service which extends this one.";
