//! Defaults of Thrift files as JSON.

use tchannel_codegen::idl::{Idl, Type, Value};

use super::super::Json;
use super::write::base64;

/// `value`, which is of type `ty`.
pub(in crate::interface) fn constant(idl: &Idl, ty: &Type, value: &Value) -> Json {
    match (idl.resolved(ty), value) {
        (_, Value::Bool(it)) => (*it).into(),
        (Type::Double, Value::Int(it)) => Json::double(*it as f64),
        (_, Value::Int(it)) => Json::integer(*it),
        (_, Value::Double(it)) => Json::double(*it),
        (Type::Binary, Value::Text(it)) => base64(it.as_bytes()).into(),
        (_, Value::Text(it)) => it.as_str().into(),
        (_, Value::Uuid(it)) => uuid(*it).into(),
        (_, Value::Enum(at, member)) => {
            let member = &idl.enumeration(*at).members[*member];
            member.name.as_str().into()
        }
        (Type::List(element) | Type::Set(element), Value::List(values)) => {
            let values = values.iter();
            Json::Array(values.map(|value| constant(idl, element, value)).collect())
        }
        (Type::Map(key_type, value_type), Value::Map(pairs)) => {
            let pairs = pairs.iter().map(|(key, value)| {
                let key = constant(idl, key_type, key);
                (key, constant(idl, value_type, value))
            });
            Json::map(pairs.collect())
        }
        (_, Value::Struct(at, fields)) => {
            let it = idl.structure(*at);
            let members = fields.iter().map(|(index, value)| {
                let field = &it.fields[*index];
                (field.name.clone(), constant(idl, &field.ty, value))
            });
            Json::Object(members.collect())
        }
        (_, Value::List(_) | Value::Map(_)) => unreachable!("constants are of their type"),
    }
}

fn uuid(number: u128) -> String {
    tchannel_rt::thrift::Uuid::from_u128(number).to_string()
}
