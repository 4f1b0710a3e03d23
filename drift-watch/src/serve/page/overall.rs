//! How everything stands, in a word and a sentence.

use crate::view::{AlertKind, AlertState, FeedView, ModelView, Standing, View};

use super::text::{self, Name, count, counted};

/// The colour, the sign and the word for a standing: no meaning hangs on the colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tone {
    pub(super) class: &'static str,
    pub(super) sign: &'static str,
    pub(super) word: &'static str,
}

pub(super) const DRIFT: Tone = Tone { class: "fail", sign: "▲", word: "Drift" };
pub(super) const FEED: Tone = Tone { class: "open", sign: "◆", word: "Feed" };
pub(super) const RULE: Tone = Tone { class: "open", sign: "■", word: "Rule" };
pub(super) const WARMING: Tone = Tone { class: "same", sign: "○", word: "Warming up" };
pub(super) const STEADY: Tone = Tone { class: "pass", sign: "●", word: "OK" };
const STARTING: Tone = Tone { class: "same", sign: "○", word: "Not ready" };
const IDLE: Tone = Tone { class: "same", sign: "○", word: "Waiting" };

/// The tone of a standing.
pub(super) fn tone(standing: Standing) -> Tone {
    match standing {
        Standing::Drift => DRIFT,
        Standing::Feed => FEED,
        Standing::Warming => WARMING,
        Standing::Ok => STEADY,
    }
}

/// The headline of the page.
pub(super) struct Overall {
    pub(super) tone: Tone,
    pub(super) sentence: String,
    /// Why the daemon is not ready.
    pub(super) notes: Vec<String>,
}

/// The worst that is true of the view.
pub(super) fn of(view: &View) -> Overall {
    let (tone, sentence) = headline(view);
    let notes =
        if view.ready { Vec::new() } else { view.not_ready.iter().take(20).map(|text| text::sentence(text)).collect() };
    Overall { tone, sentence, notes }
}

fn headline(view: &View) -> (Tone, String) {
    let drifted = standing(view, Standing::Drift);
    let starved = standing(view, Standing::Feed);
    let warming = standing(view, Standing::Warming);
    let broken: Vec<&FeedView> = view.feeds.iter().filter(|feed| !feed.healthy).collect();
    let rules = firing(view, AlertKind::Rule);
    match () {
        () if !drifted.is_empty() => (DRIFT, models(view, &drifted, "has drifted", "have drifted")),
        () if firing(view, AlertKind::Drift) > 0 => (DRIFT, "an alarm on accuracy fires".to_owned()),
        () if !starved.is_empty() => (
            FEED,
            models(view, &starved, "is not judged: its feeds are stale", "are not judged: their feeds are stale"),
        ),
        () if !broken.is_empty() => (FEED, feeds(view, &broken)),
        () if firing(view, AlertKind::Feed) > 0 => (FEED, "an alert on feeds fires".to_owned()),
        () if rules > 0 => {
            (RULE, format!("{} of the team {}", counted(rules, "rule"), if rules == 1 { "fires" } else { "fire" }))
        }
        () if !view.ready => (STARTING, "The daemon is loading its state or catching up".to_owned()),
        () if view.models.is_empty() => (IDLE, "No predictions have arrived yet".to_owned()),
        () if warming.len() == view.models.len() => {
            (WARMING, models(view, &warming, "has no baseline yet", "have no baseline yet"))
        }
        () => (STEADY, steady(view, warming.len())),
    }
}

fn standing(view: &View, wanted: Standing) -> Vec<&ModelView> {
    view.models.iter().filter(|model| model.standing == wanted).collect()
}

fn firing(view: &View, kind: AlertKind) -> u64 {
    view.alerts.iter().filter(|alert| alert.kind == kind && alert.state == AlertState::Firing).count() as u64
}

fn models(view: &View, those: &[&ModelView], one: &str, several: &str) -> String {
    match those {
        [model] => format!("{} {} {one}", Name::new(&model.model).shown, Name::new(&model.version).shown),
        _ => format!("{} of {} {several}", count(those.len() as u64), counted(view.models.len() as u64, "model")),
    }
}

fn feeds(view: &View, broken: &[&FeedView]) -> String {
    match broken {
        [feed] => format!("The feed {} is not healthy", Name::new(&feed.name).shown),
        _ => format!("{} of {} are not healthy", count(broken.len() as u64), counted(view.feeds.len() as u64, "feed")),
    }
}

fn steady(view: &View, warming: usize) -> String {
    let all = match view.models.len() - warming {
        1 => "1 model is as accurate as its baseline".to_owned(),
        steady => format!("{} models are as accurate as their baselines", count(steady as u64)),
    };
    match warming {
        0 => all,
        _ => format!("{all}; {} still warming up", count(warming as u64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view(standings: &[Standing]) -> View {
        let model = |standing: &Standing| ModelView {
            model: "m".into(),
            version: "1".into(),
            standing: *standing,
            ..ModelView::default()
        };
        View { ready: true, models: standings.iter().map(model).collect(), ..View::default() }
    }

    #[test]
    fn the_worst_is_said_first() {
        use Standing::{Drift, Feed, Ok, Warming};
        for (standings, word, sentence) in [
            (&[][..], "Waiting", "No predictions have arrived yet"),
            (&[Ok, Warming, Feed, Drift], "Drift", "m 1 has drifted"),
            (&[Drift, Drift, Ok], "Drift", "2 of 3 models have drifted"),
            (&[Ok, Feed, Warming], "Feed", "m 1 is not judged: its feeds are stale"),
            (&[Ok, Warming], "OK", "1 model is as accurate as its baseline; 1 still warming up"),
            (&[Warming], "Warming up", "m 1 has no baseline yet"),
        ] {
            let overall = of(&view(standings));
            assert_eq!((overall.tone.word, overall.sentence.as_str()), (word, sentence));
        }
        let starting = View { not_ready: vec!["reads the journal".into()], ..View::default() };
        assert_eq!((of(&starting).tone.word, of(&starting).notes.len()), ("Not ready", 1));
    }
}
