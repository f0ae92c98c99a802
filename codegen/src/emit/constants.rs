//! Constants: `const` where Rust can, a function where memory is needed.

use super::Emitter;
use super::values::bytes_literal;
use crate::model::{Const, Type, Value};

impl Emitter<'_> {
    pub(super) fn constant(&mut self, it: &Const) {
        self.code.gap();
        self.code.notes(&it.notes);
        let ty = self.ty(&it.ty);
        let (ty, value) = match (self.model.resolved(&it.ty), &it.value) {
            (Type::Binary, Value::Text(text)) => ("&[u8]".to_owned(), bytes_literal(text)),
            (_, Value::Text(text)) => ("&str".to_owned(), format!("{text:?}")),
            (_, Value::List(_) | Value::Map(_) | Value::Struct(..)) => {
                let value = self.value(&it.ty, &it.value);
                self.code
                    .block(&format!("pub fn {}() -> {}", it.name, ty.flat()), |code| {
                        code.piece("", &value, "");
                    });
                return;
            }
            (_, scalar) => (ty.flat(), self.scalar(scalar)),
        };
        self.code
            .line(&format!("pub const {}: {ty} = {value};", it.name));
    }
}
