//! What tools are told of Thrift files.

use std::collections::BTreeMap;

use tchannel_codegen::idl::{Idl, MAX_DEFINITIONS, Requiredness, StructKind, Type, Value};

const TORTURE: &str = include_str!("../data/torture.thrift");
const SHARED: &str = include_str!("../data/common/shared.thrift");

fn texts<const N: usize>(texts: [(&str, &str); N]) -> BTreeMap<String, String> {
    let own = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    texts.into_iter().map(own).collect()
}

fn torture() -> Idl {
    let texts = texts([
        ("torture.thrift", TORTURE),
        ("common/shared.thrift", SHARED),
    ]);
    Idl::parse("torture.thrift", &texts).unwrap()
}

#[test]
fn names_are_those_of_the_file_and_docs_come_along() {
    let idl = torture();
    let file = &idl.files()[0];
    assert_eq!(file.path, "torture.thrift");
    let names: Vec<&str> = file.structs.iter().map(|it| it.name.as_str()).collect();
    assert!(names.contains(&"with_underscores"), "{names:?}");
    let shape = file.structs.iter().find(|it| it.name == "Shape").unwrap();
    assert_eq!(shape.kind, StructKind::Union);
    assert_eq!(
        shape.notes.doc.as_deref(),
        Some("A value that is one of several.")
    );
    let everything = file.structs.iter().find(|it| it.name == "Everything");
    let number = &everything.unwrap().fields[3];
    assert_eq!(
        (number.id, number.name.as_str(), &number.default),
        (4, "number", &Some(Value::Int(100)))
    );
}

#[test]
fn a_service_has_what_it_inherits() {
    let idl = torture();
    let services = &idl.files()[0].services;
    let child = services.iter().find(|it| it.name == "Child").unwrap();
    let methods = idl.methods(child);
    let names: Vec<&str> = methods.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names[..3], ["ping", "whoami", "nothing"]);
    assert_eq!(names.last(), Some(&"forest"));
    let whoami = methods[1];
    assert_eq!(whoami.arguments[0].requiredness, Requiredness::Default);
    let refused = idl.structure(whoami.throws[0].exception);
    assert_eq!(
        (whoami.throws[0].name.as_str(), refused.name.as_str()),
        ("refused", "Refused")
    );
}

#[test]
fn typedefs_lead_to_what_they_stand_for() {
    let idl = torture();
    let deeper = idl.files()[0].typedefs.iter();
    let deeper = deeper.clone().find(|it| it.name == "Deeper").unwrap();
    assert!(matches!(deeper.ty, Type::Typedef(_)));
    assert!(matches!(idl.resolved(&deeper.ty), Type::Map(..)));
}

#[test]
fn an_include_is_found_in_any_folder_that_there_is() {
    let texts = texts([
        (
            "services/a.thrift",
            "include \"shared.thrift\"\nservice A extends shared.Base {}",
        ),
        ("common/shared.thrift", SHARED),
    ]);
    let idl = Idl::parse("services/a.thrift", &texts).unwrap();
    assert_eq!(idl.methods(&idl.files()[0].services[0]).len(), 2);
}

#[test]
fn what_is_missing_or_unsound_or_too_much_is_complained_about() {
    let missing = Idl::parse("a.thrift", &texts([])).unwrap_err().to_string();
    assert!(missing.contains("can not read a.thrift"), "{missing}");
    let unsound = texts([("a.thrift", "struct A { 1: B b }")]);
    let unsound = Idl::parse("a.thrift", &unsound).unwrap_err().to_string();
    assert!(unsound.contains("there is no type `B`"), "{unsound}");
    let chain: String = (1..=MAX_DEFINITIONS + 1)
        .map(|i| format!("typedef T{} T{i}\n", i - 1))
        .collect();
    let chain = texts([("a.thrift", &chain)]);
    let chain = Idl::parse("a.thrift", &chain).unwrap_err().to_string();
    assert!(chain.contains("more than 4096"), "{chain}");
}

#[test]
fn the_longest_chains_of_definitions_fit_the_stack() {
    // A quarter of the longest chain on a quarter of a thread's stack takes a sixteenth of the time.
    let last = MAX_DEFINITIONS / 4;
    let structs: String = (1..=last)
        .map(|i| format!("struct T{i} {{ 1: optional T{} t }}\n", i - 1))
        .collect();
    let structs = format!("struct T0 {{}}\n{structs}const map<T{last}, i32> M = {{}}");
    let typedefs: String = (1..=last)
        .map(|i| format!("typedef T{} T{i}\n", i - 1))
        .collect();
    let typedefs = format!("typedef i32 T0\n{typedefs}");
    let small = std::thread::Builder::new().stack_size(512 * 1024);
    let parsed = small.spawn(move || {
        Idl::parse("a.thrift", &texts([("a.thrift", &structs)])).unwrap();
        Idl::parse("a.thrift", &texts([("a.thrift", &typedefs)])).unwrap();
    });
    parsed.unwrap().join().unwrap();
}
