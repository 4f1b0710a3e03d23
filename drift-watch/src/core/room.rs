//! Room in lists of which there are as many as series.

/// Makes room for one more: an eighth of what is there, where the standard library would double it. In a list whose beginning is forgotten as its
/// end grows, this is paid for once.
pub fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 8);
    }
}
