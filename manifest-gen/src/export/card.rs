//! placeholder
pub fn text(m: &shared::format::manifest::Manifest, _: Option<&shared::format::registry::Version>) -> String {
    m.name.clone()
}
