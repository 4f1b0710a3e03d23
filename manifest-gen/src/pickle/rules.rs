//! Names that are safe only in some uses, and the uses that are.

use std::collections::BTreeMap;

/// Names that no list allows as such, but that real pickles use in one harmless way (see [`harmless`]).
const CONDITIONAL: [&str; 3] = ["builtins.getattr", "__builtin__.getattr", "functools.partial"];

/// Gradient boosting on categorical columns holds `partial(check_array, …)`.
const PARTIAL_OF: &str = "sklearn.utils.validation.check_array";

/// Time zones are pickled as `getattr(ZoneInfo, "_unpickle")(key, from_cache)`.
const ZONE: (&str, &str) = ("zoneinfo.ZoneInfo", "_unpickle");

/// What [`ZONE`] makes: a function that may be called.
pub(super) const ZONE_UNPICKLE: &str = "zoneinfo.ZoneInfo._unpickle";

/// Classes whose `__setstate__` evaluates the formula in the state.
const FORMULA_CLASSES: &str = "statsmodels.base.data.";

/// Keys that make it do so, in statsmodels before and after 0.15.
pub(super) const RESTORE_KEYS: [&str; 2] = ["restore_design_info", "restore_model_spec"];

/// Uses of the conditional names.
#[derive(Debug, Default)]
pub(super) struct Conditional {
    uses: BTreeMap<String, Uses>,
}

#[derive(Debug, Default)]
struct Uses {
    harmless: u64,
    other: u64,
}

impl Conditional {
    pub(super) fn named(&mut self, name: &str) {
        self.uses.entry(name.to_owned()).or_default();
    }

    pub(super) fn used(&mut self, name: &str, harmless: bool) {
        let uses = self.uses.entry(name.to_owned()).or_default();
        if harmless { uses.harmless += 1 } else { uses.other += 1 }
    }

    /// Names that were put to another use, or to none that explains them.
    pub(super) fn refused(&self) -> impl Iterator<Item = &str> {
        let bad = |uses: &Uses| uses.other > 0 || uses.harmless == 0;
        self.uses.iter().filter(move |(_, uses)| bad(uses)).map(|(name, _)| name.as_str())
    }
}

pub(super) fn is_conditional(name: &str) -> bool {
    CONDITIONAL.contains(&name)
}

/// Whether a call of a conditional name with a global (and perhaps a text) is one that real pickles make.
pub(super) fn harmless(function: &str, global: &str, text: Option<&str>) -> bool {
    match function {
        "functools.partial" => global == PARTIAL_OF && text.is_none(),
        _ => (global, text) == (ZONE.0, Some(ZONE.1)),
    }
}

pub(super) fn is_partial(name: &str) -> bool {
    name == "functools.partial"
}

/// `copyreg._reconstructor` and its Python 2 name.
pub(super) fn is_reconstructor(name: &str) -> bool {
    matches!(name, "copyreg._reconstructor" | "copy_reg._reconstructor")
}

pub(super) fn is_builtin(name: &str) -> bool {
    name.starts_with("builtins.") || name.starts_with("__builtin__.")
}

/// joblib's place-holder for an array that follows in the stream, also as scikit-learn once bundled it.
pub(super) fn is_array_wrapper(name: &str) -> bool {
    name.ends_with("joblib.numpy_pickle.NumpyArrayWrapper")
}

/// joblib's place-holders for arrays in files of their own.
pub(super) fn is_file_wrapper(name: &str) -> bool {
    name.ends_with("DArrayWrapper") && name.contains("joblib.numpy_pickle")
}

/// Classes that must not be made by a function, which would hide what the object is.
pub(super) fn needs_known_class(name: &str) -> bool {
    is_array_wrapper(name) || is_file_wrapper(name) || evaluates_formula(name)
}

pub(super) fn evaluates_formula(name: &str) -> bool {
    name.starts_with(FORMULA_CLASSES)
}

/// A formula of column names, `+ - * : ~` and digits: evaluating it looks names up and nothing else.
pub(super) fn is_plain_formula(formula: &str) -> bool {
    let allowed = |c: char| c.is_alphanumeric() || "_+-*:~ ".contains(c);
    !formula.contains("**") && !formula.contains("__") && formula.chars().all(allowed)
}

/// Whether Python could import a module of this name, as far as its spelling says.
pub(super) fn importable(module: &str) -> bool {
    module.split('.').all(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_that_call_or_index_are_not_plain() {
        assert!(is_plain_formula("sales ~ price + temperature:cpi - 1"));
        for formula in ["y ~ __import__('os')", "y ~ C(x)", "y ~ a.b", "y ~ x[0]", "y ~ np.log(x)", "y ~ __x__"] {
            assert!(!is_plain_formula(formula), "{formula}");
        }
    }

    #[test]
    fn a_conditional_name_needs_a_harmless_use_and_no_other() {
        let mut uses = Conditional::default();
        uses.named("builtins.getattr");
        assert_eq!(uses.refused().count(), 1);
        uses.used("builtins.getattr", harmless("builtins.getattr", "zoneinfo.ZoneInfo", Some("_unpickle")));
        assert_eq!(uses.refused().count(), 0);
        uses.used("builtins.getattr", harmless("builtins.getattr", "os.path", Some("exists")));
        assert_eq!(uses.refused().count(), 1);
    }
}
