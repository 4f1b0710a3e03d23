//! Whether a run may still be recorded. Pure.

/// What the server says of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// The fence of the claim.
    pub fence: i64,
    /// The newest fence of the job, whoever holds it; none if no slot of it is listed.
    pub newest: Option<i64>,
    /// Whether no other run of the job may be on beside it.
    pub is_alone: bool,
    /// Whether the slot is still listed as this host's.
    pub is_listed: bool,
    /// Whether the session that asks holds the lock of the job.
    pub is_locked: bool,
}

/// How a claim stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// The run may be recorded.
    Ours,
    /// Another host took the job over.
    Overtaken,
    /// Somebody has the lock, and has not said yet what for; it may be the server, for a session that is no more.
    Unclear,
}

/// How a claim stands, by what the server says.
pub fn standing(facts: Facts) -> Standing {
    let is_newest = facts.newest.is_some_and(|newest| newest <= facts.fence);
    match facts {
        Facts { is_listed: false, .. } => Standing::Overtaken,
        Facts { is_alone: false, .. } => Standing::Ours,
        _ if !is_newest => Standing::Overtaken,
        Facts { is_locked: true, .. } => Standing::Ours,
        _ => Standing::Unclear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HELD: Facts = Facts { fence: 7, newest: Some(7), is_alone: true, is_listed: true, is_locked: true };

    #[test]
    fn who_holds_the_lock_and_the_newest_fence_may_record() {
        assert_eq!(standing(HELD), Standing::Ours);
        assert_eq!(standing(Facts { newest: Some(8), ..HELD }), Standing::Overtaken);
        assert_eq!(standing(Facts { newest: None, ..HELD }), Standing::Overtaken);
        assert_eq!(standing(Facts { is_listed: false, ..HELD }), Standing::Overtaken);
    }

    #[test]
    fn without_the_lock_nothing_is_certain_until_a_newer_fence_is_there() {
        let lost = Facts { is_locked: false, ..HELD };
        assert_eq!(standing(lost), Standing::Unclear);
        assert_eq!(standing(Facts { newest: Some(8), ..lost }), Standing::Overtaken);
    }

    #[test]
    fn runs_that_may_be_on_beside_others_need_only_their_slot() {
        let beside = Facts { is_alone: false, is_locked: false, newest: Some(9), ..HELD };
        assert_eq!(standing(beside), Standing::Ours);
        assert_eq!(standing(Facts { is_listed: false, ..beside }), Standing::Overtaken);
    }
}
