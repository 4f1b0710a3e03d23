//! Room in lists of which there are as many as series.

/// Makes room for one more: an eighth of what is there, where the standard library would double it. In a list whose beginning is forgotten as its
/// end grows, this is paid for once.
pub fn make_room<T>(list: &mut Vec<T>) {
    if list.len() == list.capacity() {
        list.reserve_exact(1 + list.len() / 8);
    }
}

/// Forgets the first `n`, and gives room back that was needed once and is not any more.
pub fn forget<T>(list: &mut Vec<T>, n: usize) {
    list.drain(..n);
    if list.capacity() > 2 * list.len() + 8 {
        list.shrink_to(list.len() + list.len() / 8 + 1);
    }
}
