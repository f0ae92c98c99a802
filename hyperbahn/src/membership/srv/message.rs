//! A question for SRV records and its answer, as bytes on their way to and from a name server.
//!
//! ```text
//! id:2 flags:2 questions:2 answers:2 authority:2 additional:2
//! question: name type:2 class:2
//! answer:   name type:2 class:2 ttl:4 length:2 { priority:2 weight:2 port:2 target } for SRV
//! name:     (length:1 label)* 0, or a pointer to an earlier one, 0b11 and 14 bits, in place of the rest
//! ```
//!
//! As RFC 1035 and RFC 2782 have it. Bytes of a server never panic this, and names in it always end.

use std::fmt;

/// A host and a port.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    host: String,
    port: u16,
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What a message is to who asked with that id.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// An answer to somebody else, or no message at all.
    NotOurs,
    /// The beginning of an answer.
    Truncated,
    /// All that there is, or why there is nothing.
    Answer(Result<Vec<Target>, String>),
}

/// The question for the SRV records of a name; `None` if no name looks like this.
pub(super) fn query(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut query = Vec::new();
    for field in [id, WANTS_RECURSION, 1, 0, 0, 0] {
        query.extend(field.to_be_bytes());
    }
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.len() > NAME_BYTES {
        return None;
    }
    for label in name.split('.') {
        if !(1..=LABEL_BYTES).contains(&label.len()) {
            return None;
        }
        query.push(label.len() as u8);
        query.extend(label.bytes());
    }
    query.push(0);
    for field in [SRV, INTERNET] {
        query.extend(field.to_be_bytes());
    }
    Some(query)
}

/// Reads the answer to the question with that id.
pub(super) fn read(message: &[u8], id: u16) -> Reading {
    let mut reader = Reader { message, at: 0 };
    let Some([its_id, flags, questions, answers, _, _]) = reader.header() else {
        return Reading::NotOurs;
    };
    if its_id != id || flags & IS_ANSWER == 0 {
        return Reading::NotOurs;
    }
    if flags & IS_TRUNCATED != 0 {
        return Reading::Truncated;
    }
    Reading::Answer(match flags & CODE {
        0 => reader
            .targets(questions, answers)
            .ok_or_else(|| "with a message that is broken".to_owned()),
        NO_SUCH_NAME => Err("that there is no such name".to_owned()),
        code => Err(format!("with error {code}")),
    })
}

/// Takes a message apart; `None` at its end.
struct Reader<'a> {
    message: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn header(&mut self) -> Option<[u16; 6]> {
        let mut fields = [0; 6];
        for field in &mut fields {
            *field = self.number()?;
        }
        Some(fields)
    }

    fn targets(&mut self, questions: u16, answers: u16) -> Option<Vec<Target>> {
        for _ in 0..questions {
            self.name()?;
            self.skip(4)?;
        }
        let mut targets = Vec::new();
        for _ in 0..answers {
            self.name()?;
            let kind = self.number()?;
            self.skip(6)?;
            let length = usize::from(self.number()?);
            let end = self.at + length;
            if kind == SRV {
                self.skip(4)?;
                let port = self.number()?;
                let host = self.name()?;
                // The root stands for nobody.
                targets.extend((!host.is_empty()).then_some(Target { host, port }));
            }
            self.at = end;
        }
        Some(targets)
    }

    fn name(&mut self) -> Option<String> {
        let mut name = String::new();
        let mut after = None;
        let mut at = self.at;
        loop {
            let length = *self.message.get(at)?;
            match (length & POINTER, usize::from(length)) {
                (0, 0) => break,
                (0, length) => {
                    let label = self.message.get(at + 1..at + 1 + length)?;
                    let separator = if name.is_empty() { "" } else { "." };
                    name.push_str(separator);
                    name.push_str(str::from_utf8(label).ok()?);
                    at += 1 + length;
                }
                (POINTER, _) => {
                    let low = *self.message.get(at + 1)?;
                    let target = usize::from(u16::from_be_bytes([length & !POINTER, low]));
                    after.get_or_insert(at + 2);
                    // Backwards only, so that it comes to an end.
                    at = (target < at).then_some(target)?;
                }
                _ => return None,
            }
            if name.len() > NAME_BYTES {
                return None;
            }
        }
        self.at = after.unwrap_or(at + 1);
        Some(name)
    }

    fn number(&mut self) -> Option<u16> {
        let bytes = self.message.get(self.at..self.at + 2)?;
        self.at += 2;
        Some(u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn skip(&mut self, count: usize) -> Option<()> {
        self.at += count;
        (self.at <= self.message.len()).then_some(())
    }
}

const WANTS_RECURSION: u16 = 1 << 8;
const IS_ANSWER: u16 = 1 << 15;
const IS_TRUNCATED: u16 = 1 << 9;
const CODE: u16 = 0xf;
const NO_SUCH_NAME: u16 = 3;
const SRV: u16 = 33;
const INTERNET: u16 = 1;
const POINTER: u8 = 0b1100_0000;
const LABEL_BYTES: usize = 63;
const NAME_BYTES: usize = 253;

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) const NAME: &str = "_tchannel._tcp.routers.example";

    /// Two hosts, the first written out and the second with a pointer, behind a record of another kind.
    pub(in super::super) fn answer(id: u16) -> Vec<u8> {
        let mut answer = query(id, NAME).expect("a name");
        answer[2] |= 0x80;
        answer[7] = 3;
        let owner = [0xc0, 12];
        let other = [&owner[..], &[0, 16, 0, 1, 0, 0, 0, 9, 0, 2, 1, b'x']].concat();
        // "routers" begins behind the header and two labels.
        let domain = [0xc0, 12 + 10 + 5];
        let whole = b"\x03one\x07routers\x07example\x00";
        let short = [b"\x03two", &domain[..]].concat();
        answer.extend(other);
        for (port, host) in [(4040_u16, &whole[..]), (4041, &short)] {
            let length = (6 + host.len()) as u8;
            answer.extend([&owner[..], &[0, 33, 0, 1, 0, 0, 0, 9, 0, length]].concat());
            answer.extend([0, 1, 0, 1]);
            answer.extend(port.to_be_bytes());
            answer.extend(host);
        }
        answer
    }

    pub(in super::super) fn truncated(id: u16) -> Vec<u8> {
        let mut answer = query(id, NAME).expect("a name");
        answer[2] |= 0x82;
        answer
    }

    #[test]
    fn a_question_has_one_name_and_asks_for_srv() {
        let query = query(0x0102, "_a._b.cd").expect("a name");
        assert_eq!(
            query,
            b"\x01\x02\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x02_a\x02_b\x02cd\x00\x00\x21\x00\x01"
        );
        let long = "a".repeat(64);
        for name in ["", "a..b", ".a", &long, &"ab.".repeat(100)] {
            assert_eq!(super::query(1, name), None, "{name:?}");
        }
    }

    #[test]
    fn an_answer_has_hosts_and_ports() {
        let target = |host: &str, port| Target {
            host: host.to_owned(),
            port,
        };
        let expected = vec![
            target("one.routers.example", 4040),
            target("two.routers.example", 4041),
        ];
        assert_eq!(read(&answer(7), 7), Reading::Answer(Ok(expected)));
        assert_eq!(read(&answer(7), 8), Reading::NotOurs);
        assert_eq!(read(&query(7, NAME).expect("a name"), 7), Reading::NotOurs);
        assert_eq!(read(&truncated(7), 7), Reading::Truncated);
    }

    #[test]
    fn no_bytes_of_a_server_are_too_much() {
        let whole = answer(7);
        for end in 0..whole.len() {
            let cut = read(&whole[..end], 7);
            let is_bad = matches!(cut, Reading::NotOurs | Reading::Answer(Err(_)));
            assert!(is_bad, "{end}: {cut:?}");
        }
        for at in 0..whole.len() {
            for bits in 0..=u8::MAX {
                let mut bent = whole.clone();
                bent[at] = bits;
                // Whatever it is taken for, it is taken in.
                let _ = read(&bent, 7);
            }
        }
    }
}
