//! The exit statuses of all four tools: an API, listed in `docs/EXIT-CODES.md` and in each man page.

use std::process::ExitCode;

/// What a tool tells its caller; never a count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Exit {
    /// 0: yes, done, promote, no drift.
    Ok = 0,
    /// 1: the answer is no: rejected, mismatch, drift, regression.
    No = 1,
    /// 2: usage or bad input, including inputs that cannot be compared.
    Usage = 2,
    /// 3: the environment failed (disk, network, lock, time limit); a retry may help.
    Environment = 3,
    /// 4: cannot be decided on this evidence.
    Undecided = 4,
}

impl Exit {
    /// All statuses, in order.
    pub const ALL: [Self; 5] = [Self::Ok, Self::No, Self::Usage, Self::Environment, Self::Undecided];

    /// The number that the operating system sees.
    pub fn code(self) -> u8 {
        self as u8
    }

    /// One line of meaning, as man pages and `--help` print it.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Ok => "yes: promote, verified, nothing wrong",
            Self::No => "no: rejected, mismatch, drift, regression",
            Self::Usage => "usage or bad input, including inputs that cannot be compared",
            Self::Environment => "the environment failed (disk, network, lock, time limit); a retry may help",
            Self::Undecided => "cannot be decided on this evidence",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
