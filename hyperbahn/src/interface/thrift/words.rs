//! Types as they are written in Thrift files.

use tchannel_codegen::idl::{Idl, Type};

/// Such as `map<string, list<Point>>`.
pub(in crate::interface) fn words(idl: &Idl, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".to_owned(),
        Type::I8 => "i8".to_owned(),
        Type::I16 => "i16".to_owned(),
        Type::I32 => "i32".to_owned(),
        Type::I64 => "i64".to_owned(),
        Type::Double => "double".to_owned(),
        Type::String => "string".to_owned(),
        Type::Binary => "binary".to_owned(),
        Type::Uuid => "uuid".to_owned(),
        Type::List(element) => format!("list<{}>", words(idl, element)),
        Type::Set(element) => format!("set<{}>", words(idl, element)),
        Type::Map(key, value) => format!("map<{}, {}>", words(idl, key), words(idl, value)),
        Type::Enum(at) => idl.enumeration(*at).name.clone(),
        Type::Struct(at) => idl.structure(*at).name.clone(),
        Type::Typedef(at) => idl.typedef(*at).name.clone(),
    }
}

/// The same with what a typedef stands for, and how it is written in JSON where that is not plain.
pub(super) fn expected(idl: &Idl, ty: &Type) -> String {
    let name = words(idl, ty);
    let resolved = idl.resolved(ty);
    let name = match ty {
        Type::Typedef(_) => format!("{name} ({})", words(idl, resolved)),
        _ => name,
    };
    match resolved {
        Type::I64 => format!("{name} as a number or a string"),
        Type::Double => format!("{name} as a number, \"NaN\", \"Infinity\" or \"-Infinity\""),
        Type::Binary => format!("{name} as base64 in a string, or {{\"hex\":\"00ff\"}}"),
        Type::Uuid => format!("{name} as \"00112233-4455-6677-8899-aabbccddeeff\""),
        Type::List(_) | Type::Set(_) => format!("{name} as an array"),
        Type::Map(..) => format!("{name} as an object, or an array of [key, value]"),
        Type::Struct(_) => format!("{name} as an object"),
        _ => name,
    }
}
