//! The number that names a job among the advisory locks of a database. Pure.

use shared::digest;

/// The number of a job: the first 64 bits of a digest. Other programs of the same database that draw numbers at random meet it once in 2^64.
pub fn key(namespace: &str, job: &str) -> i64 {
    let digest = digest::of_bytes(format!("rebench-cron\0{namespace}\0{job}").as_bytes());
    let bits = digest.get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    bits.unwrap_or_default().cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_the_head_of_the_digest() {
        // printf 'rebench-cron\0shop\0walmart' | sha256sum | cut -c 1-16
        assert_eq!(key("shop", "walmart"), 0xfa5a_658e_6d77_d95f_u64.cast_signed());
    }

    #[test]
    fn names_that_run_together_alike_have_other_numbers() {
        assert_ne!(key("a", "bc"), key("ab", "c"));
        assert_ne!(key("a", "b"), key("b", "a"));
    }
}
