//! Services: a trait to implement, and how it becomes a service on a channel.

use super::Emitter;
use super::layout::Piece;
use crate::model::{Method, Ref, Service};

impl<'a> Emitter<'a> {
    pub(super) fn service(&mut self, it: &'a Service) {
        let methods = self.with_inherited(it);
        self.service_trait(it, &methods);
        self.client(it, &methods);
        for method in &it.methods {
            let name = format!("{}::{}", it.thrift_name, method.thrift_name);
            self.code.gap();
            self.code.line(&format!("/// The arguments of `{name}`."));
            self.plain_struct(&method.arguments);
            self.reading_and_writing(&method.arguments);
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
                        &format!(") -> {output};"),
                    );
                }
                code.gap();
                code.line("/// What `Service::serve` of a channel takes.");
                code.line("fn into_service(self) -> rt::TypedService");
                code.line("where");
                code.line("    Self: Sized,");
                code.line("{");
                code.indented(|code| {
                    let name = &it.thrift_name;
                    code.line(&format!("rt::TypedService::new({name:?}, INTERFACE, self)"));
                    for line in registrations.iter().flatten() {
                        code.line(&format!("    {line}"));
                    }
                    code.line("    .finish()");
                });
                code.line("}");
            });
    }

    fn signature(&self, method: &Method) -> (Vec<Piece>, String) {
        let mut parameters = vec![Piece::text("&self")];
        for field in &method.arguments.fields {
            parameters.push(Piece::text(format!(
                "{}: {}",
                field.name,
                self.field_type(field).flat()
            )));
        }
        let returns = method
            .returns
            .as_ref()
            .map_or("()".to_owned(), |ty| self.ty(ty).flat());
        let error = match &method.throws {
            Some(throws) => format!("rt::MethodError<{}>", throws.name),
            None => "rt::MethodError".to_owned(),
        };
        let output = format!("impl rt::Future<Output = Result<{returns}, {error}>> + Send");
        (parameters, output)
    }

    fn registration(&self, file: usize, method: &Method) -> Vec<String> {
        let arguments = self.path_in(file, &method.arguments.name);
        let values: Vec<_> = method
            .arguments
            .fields
            .iter()
            .map(|field| format!("args.{}", field.name))
            .collect();
        let binding = if values.is_empty() { "_" } else { "args" };
        let head = format!(
            "{:?}, |it, {binding}: {arguments}| async move {{",
            method.thrift_name
        );
        let call = format!("it.{}({}).await", method.name, values.join(", "));
        if head.len() + call.len() + 3 <= CALL_WIDTH {
            return vec![format!(".method({head} {call} }})")];
        }
        vec![
            format!(".method({head}"),
            format!("    {call}"),
            "})".to_owned(),
        ]
    }
}

/// Columns of a call's arguments on one line, as rustfmt has them.
const CALL_WIDTH: usize = 60;
