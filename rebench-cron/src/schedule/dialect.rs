//! Which language a schedule is written in, and what it does where clocks are changed.

use clap::ValueEnum;

/// The language of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Dialect {
    /// Minute, hour, day, month, weekday: as crontab(5)
    #[default]
    Cron,
    /// The same with seconds in front
    CronSeconds,
    /// Seconds first, 1 is Sunday, one day field is `?`, perhaps a year: as Quartz
    Quartz,
    /// As `OnCalendar=` of systemd
    #[value(name = "oncalendar", alias = "on-calendar")]
    OnCalendar,
}

impl Dialect {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cron => "cron",
            Self::CronSeconds => "cron-seconds",
            Self::Quartz => "quartz",
            Self::OnCalendar => "oncalendar",
        }
    }

    /// What the engine of this dialect does where clocks are changed.
    pub fn dst(self) -> Dst {
        match self {
            Self::Cron | Self::CronSeconds => Dst::Vixie,
            Self::Quartz => Dst::Later,
            Self::OnCalendar => Dst::Skip,
        }
    }
}

/// What happens to times that a change of the clocks leaves out or repeats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Dst {
    /// Fixed times: once, when the gap ends, and in the first pass; times with a star: whenever the clock shows them
    #[default]
    Vixie,
    /// Left out in a gap, in the first pass only: as systemd
    Skip,
    /// Left out in a gap, in the second pass only: as Quartz
    Later,
    /// Whenever the clock shows the time: never in a gap, in both passes
    Instant,
}

impl Dst {
    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Vixie => "vixie",
            Self::Skip => "skip",
            Self::Later => "later",
            Self::Instant => "instant",
        }
    }
}
