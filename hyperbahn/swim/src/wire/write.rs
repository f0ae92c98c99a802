//! Values to bodies, within the schemas that peers check: no field beyond those.

use crate::labels::Labels;
use crate::status::{Standing, Status};

/// Who sends a body.
#[derive(Clone, Copy)]
pub(crate) struct Sender<'a> {
    pub(crate) app: &'a str,
    pub(crate) address: &'a str,
    pub(crate) incarnation: u64,
}

/// A claim that we pass on or make. `source` is `None` when it is to look like nobody's.
#[derive(Clone, Copy)]
pub(crate) struct Said<'a> {
    pub(crate) address: &'a str,
    pub(crate) standing: Standing,
    pub(crate) labels: Option<&'a Labels>,
    pub(crate) source: Option<(&'a str, u64)>,
}

impl Said<'_> {
    /// As an element of `changes` or `membership`.
    pub(crate) fn json(&self) -> Vec<u8> {
        let mut object = Object::new();
        self.fields(&mut object);
        object.done()
    }

    fn fields(&self, object: &mut Object) {
        if let Some((source, incarnation)) = self.source {
            object.text("source", source);
            object.number("sourceIncarnationNumber", incarnation);
        }
        object.text("address", self.address);
        let is_tombstone = self.standing.status() == Status::Tombstone;
        let status = match self.standing.status() {
            Status::Tombstone => Status::Faulty,
            status => status,
        };
        object.text("status", status.as_str());
        object.number("incarnationNumber", self.standing.incarnation());
        if is_tombstone {
            object.raw("tombstone", b"true");
        }
        if let Some(labels) = self.labels {
            object.object("labels", |inner| {
                labels
                    .iter()
                    .for_each(|(key, value)| inner.text(key, value));
            });
        }
    }
}

/// Elements of a list, joined.
pub(crate) fn list<'a>(elements: impl Iterator<Item = Said<'a>>) -> Vec<u8> {
    let mut list = Vec::new();
    for element in elements {
        if !list.is_empty() {
            list.push(b',');
        }
        let mut object = Object {
            out: list,
            is_empty: true,
        };
        object.out.push(b'{');
        element.fields(&mut object);
        list = object.done();
    }
    list
}

/// Body of a ping. `changes` are joined elements, as [`list`] makes them.
pub(crate) fn ping(sender: Sender<'_>, checksum: u32, changes: &[u8]) -> Vec<u8> {
    let mut body = exchange(sender, checksum, changes);
    body.text("app", sender.app);
    body.done()
}

/// Body of a ping-req; the schema forbids `app` here.
pub(crate) fn ping_req(sender: Sender<'_>, checksum: u32, changes: &[u8], target: &str) -> Vec<u8> {
    let mut body = exchange(sender, checksum, changes);
    body.text("target", target);
    body.done()
}

/// Body of the response to a ping.
pub(crate) fn ping_response(sender: Sender<'_>, checksum: u32, changes: &[u8]) -> Vec<u8> {
    exchange(sender, checksum, changes).done()
}

/// Body of the response to a ping-req.
pub(crate) fn ping_req_response(changes: &[u8], target: &str, answered: bool) -> Vec<u8> {
    let mut body = Object::new();
    body.list("changes", changes);
    body.raw("pingStatus", if answered { b"true" } else { b"false" });
    body.text("target", target);
    body.done()
}

/// Body of a join.
pub(crate) fn join_request(sender: Sender<'_>, labels: &Labels) -> Vec<u8> {
    let mut body = Object::new();
    body.text("app", sender.app);
    body.text("source", sender.address);
    body.number("incarnationNumber", sender.incarnation);
    if !labels.is_empty() {
        body.object("labels", |inner| {
            labels
                .iter()
                .for_each(|(key, value)| inner.text(key, value));
        });
    }
    body.done()
}

/// Body of the response to a join.
pub(crate) fn join_response(sender: Sender<'_>, checksum: u32, membership: &[u8]) -> Vec<u8> {
    let mut body = Object::new();
    body.text("app", sender.app);
    body.text("coordinator", sender.address);
    body.list("membership", membership);
    body.number("membershipChecksum", u64::from(checksum));
    body.done()
}

fn exchange(sender: Sender<'_>, checksum: u32, changes: &[u8]) -> Object {
    let mut body = Object::new();
    body.number("checksum", u64::from(checksum));
    body.list("changes", changes);
    body.text("source", sender.address);
    body.number("sourceIncarnationNumber", sender.incarnation);
    body
}

/// A JSON object on its way into bytes.
pub(crate) struct Object {
    out: Vec<u8>,
    is_empty: bool,
}

impl Object {
    pub(crate) fn new() -> Self {
        let mut out = Vec::with_capacity(160);
        out.push(b'{');
        Self {
            out,
            is_empty: true,
        }
    }

    pub(crate) fn text(&mut self, key: &str, value: &str) {
        self.key(key);
        string(&mut self.out, value);
    }

    pub(crate) fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        serde_json::to_writer(&mut self.out, &value).expect("a number is always JSON");
    }

    /// A value that is JSON already.
    pub(crate) fn raw(&mut self, key: &str, json: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(json);
    }

    /// A list of joined elements that are JSON already.
    pub(crate) fn list(&mut self, key: &str, elements: &[u8]) {
        self.key(key);
        self.out.push(b'[');
        self.out.extend_from_slice(elements);
        self.out.push(b']');
    }

    pub(crate) fn object(&mut self, key: &str, fields: impl FnOnce(&mut Self)) {
        self.key(key);
        self.out.push(b'{');
        self.is_empty = true;
        fields(self);
        self.out.push(b'}');
        self.is_empty = false;
    }

    pub(crate) fn done(mut self) -> Vec<u8> {
        self.out.push(b'}');
        self.out
    }

    fn key(&mut self, key: &str) {
        if !self.is_empty {
            self.out.push(b',');
        }
        self.is_empty = false;
        string(&mut self.out, key);
        self.out.push(b':');
    }
}

fn string(out: &mut Vec<u8>, text: &str) {
    let is_plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if text.bytes().all(is_plain) {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    } else {
        serde_json::to_writer(out, text).expect("a string is always JSON");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Object, Said, Sender, list, ping, ping_req_response};
    use crate::labels::Labels;
    use crate::status::{Standing, Status};
    use crate::wire::{Exchange, read};

    fn standing(status: Status) -> Standing {
        Standing::new(7, status).expect("a small incarnation")
    }

    #[test]
    fn a_tombstone_is_written_as_faulty_with_a_flag() {
        let said = Said {
            address: "a:1",
            standing: standing(Status::Tombstone),
            labels: None,
            source: Some(("b:1", 3)),
        };
        assert_eq!(
            String::from_utf8_lossy(&said.json()),
            r#"{"source":"b:1","sourceIncarnationNumber":3,"address":"a:1","status":"faulty","incarnationNumber":7,"tombstone":true}"#
        );
    }

    #[test]
    fn a_response_to_a_ping_req_holds_three_fields() {
        let body = ping_req_response(b"", "a:1", false);
        assert_eq!(
            String::from_utf8_lossy(&body),
            r#"{"changes":[],"pingStatus":false,"target":"a:1"}"#
        );
    }

    #[test]
    fn nested_fields_are_separated() {
        let mut object = Object::new();
        object.object("a", |inner| {
            inner.text("b", "1");
            inner.text("c", "2");
        });
        object.number("d", 3);
        object.object("e", |_| {});
        object.text("f", "g");
        assert_eq!(
            String::from_utf8_lossy(&object.done()),
            r#"{"a":{"b":"1","c":"2"},"d":3,"e":{},"f":"g"}"#
        );
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            address in "\\PC{1,9}", source in "\\PC{1,9}", app in "\\PC{0,9}", key in "\\PC{0,5}", at in 0..5_usize,
        ) {
            let labels = Labels::from_iter([(key.as_str(), "value")]);
            let said = Said {
                address: &address,
                standing: standing(Status::ALL[at]),
                labels: Some(&labels),
                source: Some((&source, 3)),
            };
            let sender = Sender { app: &app, address: &source, incarnation: 9 };
            let body = ping(sender, 5, &list([said, said].into_iter()));
            let read: Exchange<'_> = read(&body, 10_000).expect("our own words");
            prop_assert_eq!(read.app.0, app);
            prop_assert_eq!(&read.source.0, &source);
            prop_assert_eq!(read.checksum.0, Some(5));
            prop_assert_eq!(read.source_incarnation_number.0, Some(9));
            prop_assert_eq!(read.changes.0.len(), 2);
            for claim in read.changes.0 {
                prop_assert_eq!(&claim.address, &address);
                prop_assert_eq!(claim.standing, said.standing);
                prop_assert_eq!(&claim.source, &source);
                prop_assert_eq!(claim.source_incarnation, 3);
                prop_assert_eq!(claim.labels.as_ref(), Some(&labels));
            }
        }
    }
}
