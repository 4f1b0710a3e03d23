//! Which columns are wanted, and where a file has them.

use std::path::Path;

use shared::{Error, Place, Result, suggest};

/// The names of the columns that every forecast table has, where a file calls them differently.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnMap {
    /// The series.
    pub id: String,
    /// Target time.
    pub ds: String,
    /// Forecast origin.
    pub cutoff: String,
    /// Actual.
    pub y: String,
}

impl Default for ColumnMap {
    fn default() -> Self {
        Self { id: "unique_id".into(), ds: "ds".into(), cutoff: "cutoff".into(), y: "y".into() }
    }
}

impl ColumnMap {
    /// Reads `id=store,ds=date`.
    ///
    /// # Errors
    /// On anything but `id=`, `ds=`, `cutoff=` and `y=`.
    pub fn parse(text: &str) -> Result<Self> {
        let mut map = Self::default();
        for part in text.split(',') {
            let expected = || Error::usage(format!("--map {part:?}"), "id=NAME, ds=NAME, cutoff=NAME or y=NAME");
            let (role, name) = part.split_once('=').ok_or_else(expected)?;
            name.trim().clone_into(map.role_mut(role.trim()).ok_or_else(expected)?);
        }
        Ok(map)
    }

    fn role_mut(&mut self, role: &str) -> Option<&mut String> {
        match role {
            "id" | "unique_id" => Some(&mut self.id),
            "ds" => Some(&mut self.ds),
            "cutoff" => Some(&mut self.cutoff),
            "y" => Some(&mut self.y),
            _ => None,
        }
    }

    /// Whether the column is one of the four.
    pub fn contains(&self, name: &str) -> bool {
        [&self.id, &self.ds, &self.cutoff, &self.y].into_iter().any(|known| known == name)
    }
}

/// What a reader is asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Names of the time and id columns; `y` is also the first of `numbers`.
    pub(super) columns: ColumnMap,
    /// Whether the file has the series; else its path does.
    pub(super) has_id: bool,
    /// Whether the file has target times; else its path does.
    pub(super) has_ds: bool,
    /// Whether the table has cutoffs.
    pub(super) has_cutoff: bool,
    /// Columns of numbers, in the order of [`super::row::Row::values`].
    pub(super) numbers: Vec<String>,
    /// Other columns, in the order of [`super::row::Row::extras`].
    pub(super) extras: Vec<String>,
}

/// What a column of a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Nothing.
    Skip,
    /// The series.
    Id,
    /// Target time.
    Ds,
    /// Forecast origin.
    Cutoff,
    /// A number: its place among the values.
    Number(usize),
    /// Another cell: its place among the extras.
    Extra(usize),
}

/// The columns of one file.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// The names, as the file has them.
    pub(super) names: Vec<String>,
    /// A role for each column.
    pub(super) roles: Vec<Role>,
    /// Columns up to the last one with a role.
    pub(super) used: usize,
}

impl Wanted {
    /// Finds the wanted columns in a header.
    ///
    /// # Errors
    /// For a column that is absent or there twice.
    pub(super) fn layout(&self, header: &[String], path: &Path) -> Result<Layout> {
        let mut roles = vec![Role::Skip; header.len()];
        for (name, role) in self.roles() {
            roles[find(header, name, path)?] = role;
        }
        let used = roles.iter().rposition(|role| *role != Role::Skip).map_or(0, |last| last + 1);
        Ok(Layout { names: header.to_vec(), roles, used })
    }

    fn roles(&self) -> impl Iterator<Item = (&str, Role)> {
        let columns = &self.columns;
        let cutoff = self.has_cutoff.then_some((columns.cutoff.as_str(), Role::Cutoff));
        let id = self.has_id.then_some((columns.id.as_str(), Role::Id));
        let ds = self.has_ds.then_some((columns.ds.as_str(), Role::Ds));
        let numbers = self.numbers.iter().enumerate().map(|(slot, name)| (name.as_str(), Role::Number(slot)));
        let extras = self.extras.iter().enumerate().map(|(slot, name)| (name.as_str(), Role::Extra(slot)));
        id.into_iter().chain(ds).chain(cutoff).chain(numbers).chain(extras)
    }
}

fn find(header: &[String], name: &str, path: &Path) -> Result<usize> {
    let mut places = header.iter().enumerate().filter(|(_, column)| *column == name).map(|(index, _)| index);
    match (places.next(), places.next()) {
        (Some(index), None) => Ok(index),
        (Some(_), Some(second)) => Err(Error::input(
            Place::at(path, 1, second as u64 + 1),
            format!("column {name:?} is there twice"),
            "one column of that name",
        )),
        (None, _) => Err(absent(header, name, path)),
    }
}

fn absent(header: &[String], name: &str, path: &Path) -> Error {
    let near = suggest::nearest(name, header.iter().map(String::as_str));
    let help = near.map_or_else(
        || format!("columns are {}; map others with --map id=…,ds=…,cutoff=…,y=…", header.join(", ")),
        |near| format!("did you mean {near:?}?"),
    );
    Error::input(Place::line(path, 1), format!("no column {name:?}"), "a column of that name in the header")
        .with_help(help)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(names: &str) -> Vec<String> {
        names.split(',').map(str::to_owned).collect()
    }

    fn wanted(numbers: &str) -> Wanted {
        Wanted {
            columns: ColumnMap::default(),
            has_id: true,
            has_ds: true,
            has_cutoff: true,
            numbers: header(numbers),
            extras: vec![],
        }
    }

    #[test]
    fn columns_are_found_in_any_order() {
        let found = wanted("y,B").layout(&header("x,B,y,cutoff,ds,unique_id,z"), Path::new("a")).unwrap();
        let expected = [Role::Skip, Role::Number(1), Role::Number(0), Role::Cutoff, Role::Ds, Role::Id, Role::Skip];
        assert_eq!((found.roles.as_slice(), found.used), (&expected[..], 6));
    }

    #[test]
    fn absent_and_double_columns_are_told() {
        let absent =
            wanted("y,LightGBM").layout(&header("unique_id,ds,cutoff,y,LightGMB"), Path::new("a")).unwrap_err();
        assert_eq!(absent.help(), Some("did you mean \"LightGMB\"?"));
        let twice = wanted("y").layout(&header("unique_id,ds,cutoff,y,y"), Path::new("a.csv")).unwrap_err();
        assert!(twice.to_string().starts_with("a.csv:1:5: column \"y\" is there twice"), "{twice}");
    }

    #[test]
    fn maps_name_the_four_columns() {
        assert_eq!(ColumnMap::parse("id=store,y=sales").unwrap().id, "store");
        assert!(ColumnMap::parse("model=x").is_err() && ColumnMap::parse("id").is_err());
    }
}
