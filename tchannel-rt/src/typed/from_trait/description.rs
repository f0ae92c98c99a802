//! The schema of a trait, put together method by method.

use std::marker::PhantomData;
use std::time::Duration;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema as JsonSchemaValue};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::arguments::is_optional;

/// A schema, for whoever collects what it refers to.
pub type SchemaFn = fn(&mut SchemaGenerator) -> JsonSchemaValue;

/// What [`TraitSchema::describe`](crate::TraitSchema::describe) gives, in the making.
///
/// Source: spec/schemes/interfaces.md, "kind schema".
#[derive(Debug)]
pub struct Description {
    schemas: SchemaGenerator,
    document: Map<String, Value>,
    methods: Vec<Map<String, Value>>,
}

impl Description {
    /// The trait itself.
    pub fn new(name: &str, scheme: &str, docs: Option<&str>) -> Self {
        let settings = SchemaSettings::draft2020_12().with(|it| it.meta_schema = None);
        let mut document = Map::new();
        document.insert("name".to_owned(), name.into());
        document.insert("scheme".to_owned(), scheme.into());
        put_docs(&mut document, "docs", docs);
        Self {
            schemas: settings.into_generator(),
            document,
            methods: Vec::new(),
        }
    }

    /// Begins a method; what follows is about it.
    #[must_use]
    pub fn method(mut self, name: &str, docs: Option<&str>) -> Self {
        let mut method = Map::new();
        method.insert("name".to_owned(), name.into());
        put_docs(&mut method, "docs", docs);
        method.insert("idempotent".to_owned(), false.into());
        self.methods.push(method);
        self
    }

    /// That it may run twice.
    #[must_use]
    pub fn idempotent(mut self) -> Self {
        self.put("idempotent", true.into());
        self
    }

    /// How long its callers wait.
    #[must_use]
    pub fn ttl(mut self, ttl: Duration) -> Self {
        self.put("ttl_ms", json!(ttl.as_millis() as u64));
        self
    }

    /// That its request is a map of parameters.
    #[must_use]
    pub fn request(mut self) -> Self {
        self.put("request", json!({"type": "object", "properties": {}}));
        self
    }

    /// One of the parameters.
    #[must_use]
    pub fn parameter<T: DeserializeOwned>(
        mut self,
        name: &str,
        docs: Option<&str>,
        schema: SchemaFn,
    ) -> Self {
        let mut schema = schema(&mut self.schemas);
        if let Some(docs) = docs {
            schema.insert("description".to_owned(), docs.into());
        }
        let request = &mut self.last()["request"];
        request["properties"][name] = schema.to_value();
        if !is_optional::<T>() {
            match &mut request["required"] {
                Value::Array(names) => names.push(name.into()),
                none => *none = json!([name]),
            }
        }
        self
    }

    /// That its request is a stream of these.
    #[must_use]
    pub fn request_stream(self, schema: SchemaFn) -> Self {
        self.schema("request_stream", schema)
    }

    /// What it answers.
    #[must_use]
    pub fn response(self, schema: SchemaFn) -> Self {
        self.schema("response", schema)
    }

    /// That it answers a stream of these.
    #[must_use]
    pub fn response_stream(self, schema: SchemaFn) -> Self {
        self.schema("response_stream", schema)
    }

    /// What it fails with.
    #[must_use]
    pub fn error(self, schema: SchemaFn) -> Self {
        self.schema("error", schema)
    }

    /// The whole document.
    pub fn finish(mut self) -> Value {
        let definitions = self.schemas.take_definitions(true);
        if !definitions.is_empty() {
            self.document.insert("$defs".to_owned(), definitions.into());
        }
        self.document
            .insert("methods".to_owned(), self.methods.into());
        self.document.into()
    }

    fn schema(mut self, member: &str, schema: SchemaFn) -> Self {
        let schema = schema(&mut self.schemas).to_value();
        self.put(member, schema);
        self
    }

    fn put(&mut self, member: &str, value: Value) {
        self.last().insert(member.to_owned(), value);
    }

    fn last(&mut self) -> &mut Map<String, Value> {
        self.methods.last_mut().expect("a method has begun")
    }
}

fn put_docs(object: &mut Map<String, Value>, member: &str, docs: Option<&str>) {
    if let Some(docs) = docs {
        object.insert(member.to_owned(), docs.into());
    }
}

/// Asks a type for its schema, if it has one: method resolution prefers [`Schema`] to [`NoSchema`], which
/// needs a reference more.
#[derive(Debug)]
pub struct SchemaOf<T>(PhantomData<fn() -> T>);

impl<T> SchemaOf<T> {
    /// The question.
    pub const NEW: Self = Self(PhantomData);
}

/// Types that have a schema.
pub trait Schema {
    /// A reference to it, or itself if it is short.
    fn schema(&self, schemas: &mut SchemaGenerator) -> JsonSchemaValue;
}

impl<T: JsonSchema> Schema for SchemaOf<T> {
    fn schema(&self, schemas: &mut SchemaGenerator) -> JsonSchemaValue {
        schemas.subschema_for::<T>()
    }
}

/// Types that may have none.
pub trait NoSchema {
    /// Anything.
    fn schema(&self, schemas: &mut SchemaGenerator) -> JsonSchemaValue;
}

impl<T> NoSchema for &SchemaOf<T> {
    fn schema(&self, _: &mut SchemaGenerator) -> JsonSchemaValue {
        true.into()
    }
}
