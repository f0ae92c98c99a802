//! Tables for people: a header line, columns that line up, and what is off below them.

use std::fmt;

/// Rows below a header. Texts stand left in their column, numbers right.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
    notes: Vec<String>,
}

/// A column and on which side its cells stand.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    /// Of texts.
    Left(&'static str),
    /// Of numbers.
    Right(&'static str),
}

/// What stands where there is nothing to say.
pub(crate) const NOTHING: &str = "-";

impl Table {
    /// A table without rows.
    pub(crate) fn new(columns: &[Column]) -> Self {
        Self {
            columns: columns.to_vec(),
            rows: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Adds a row, with a cell for each column.
    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        debug_assert_eq!(cells.len(), self.columns.len());
        self.rows.push(cells.map(|cell| printable(&cell)).into());
    }

    /// Adds a line below the table, about something that is off.
    pub(crate) fn note(&mut self, text: impl fmt::Display) {
        self.notes.push(printable(&text.to_string()));
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().map(|row| row[index].chars().count());
            cells.fold(column.name().len(), usize::max)
        };
        self.columns.iter().enumerate().map(widest).collect()
    }

    fn line<'a>(&self, widths: &[usize], cells: impl Iterator<Item = &'a str>) -> String {
        let aligned = self.columns.iter().zip(widths).zip(cells);
        let aligned = aligned.map(|((column, &width), cell)| match column {
            Column::Left(_) => format!("{cell:<width$}"),
            Column::Right(_) => format!("{cell:>width$}"),
        });
        let line = aligned.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    }
}

impl Column {
    fn name(self) -> &'static str {
        match self {
            Self::Left(name) | Self::Right(name) => name,
        }
    }
}

/// The lines, without a line end behind the last.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widths = self.widths();
        let header = self.columns.iter().map(|column| column.name());
        f.write_str(&self.line(&widths, header))?;
        for row in &self.rows {
            let cells = row.iter().map(String::as_str);
            write!(f, "\n{}", self.line(&widths, cells))?;
        }
        if !self.notes.is_empty() {
            write!(f, "\n\n{}", self.notes.join("\n"))?;
        }
        Ok(())
    }
}

// Names come from anybody, and a terminal obeys control characters.
fn printable(text: &str) -> String {
    let shown = text.chars().map(|char| match char.is_control() {
        true => char.escape_default().to_string(),
        false => char.to_string(),
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[
            Column::Left("NAME"),
            Column::Right("COUNT"),
            Column::Left("S"),
        ]);
        table.row(["a".into(), "7".into(), String::new()]);
        table.row(["öäüöä".into(), "123456".into(), "on".into()]);
        table
    }

    #[test]
    fn columns_line_up_and_no_line_ends_in_spaces() {
        let lines = "\
NAME    COUNT  S
a           7
öäüöä  123456  on";
        assert_eq!(table().to_string(), lines);
    }

    #[test]
    fn notes_stand_below_the_table() {
        let mut table = table();
        table.note("first");
        table.note("second");
        assert!(
            table.to_string().ends_with("on\n\nfirst\nsecond"),
            "{table}"
        );
    }

    #[test]
    fn names_cannot_command_the_terminal() {
        let mut table = Table::new(&[Column::Left("NAME")]);
        table.row(["a\u{1b}[2J\nb".into()]);
        table.note("\u{7}");
        assert_eq!(
            table.to_string(),
            "NAME\na\\u{1b}[2J\\nb\n\n\\u{7}",
            "{table}"
        );
    }
}
