//! placeholder
pub fn announce(_: &crate::store::Store, _: &crate::store::Stored, _: &str) -> shared::Result<()> {
    Ok(())
}
