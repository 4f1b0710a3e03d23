//! Which partition a series belongs to. Producers in other languages compute the same.
//!
//! The first eight bytes of the SHA-256 of the series' name in UTF-8, as an unsigned big-endian number, modulo the number of partitions.

use sha2::{Digest, Sha256};

/// The partition of a series.
///
/// ```
/// use drift_watch::fleet::partition::partition_of;
///
/// // printf %s store_1 | sha256sum: the first 16 digits, as a number, modulo 64.
/// assert_eq!(partition_of("store_1", 64), 22);
/// ```
pub fn partition_of(series: &str, n_partitions: u32) -> u32 {
    let digest = Sha256::digest(series.as_bytes());
    let mut head = [0; 8];
    head.copy_from_slice(&digest[..8]);
    let place = u64::from_be_bytes(head) % u64::from(n_partitions.max(1));
    u32::try_from(place).unwrap_or(0)
}

/// The word for a partition in subjects and names: `p03`.
pub fn word(partition: u32) -> String {
    format!("p{partition:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_for_producers_hold() {
        // Computed by sha256sum and Python.
        for (series, of_64, of_8, of_1000) in
            [("store_1", 22, 6, 590), ("EWR_B6", 26, 2, 882), ("", 20, 4, 652), ("\u{141}\u{f3}d\u{17a}", 23, 7, 295)]
        {
            assert_eq!([64, 8, 1000].map(|n| partition_of(series, n)), [of_64, of_8, of_1000], "{series}");
        }
        assert_eq!(word(3), "p03");
    }
}
