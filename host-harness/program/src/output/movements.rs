//! Who acted on whom in an incident, as lines of a small drawing.

use backchannel_host::Timestamp;
use backchannel_host::report::MovementDocument;

use super::layout::second;
use super::plain;

/// The lines of a drawing: `ws-041 --dcom--> ws01 as CORP\adm.vogt, 10:21:27`. Movements that differ only in time are one
/// line.
pub(crate) fn drawing(movements: &[MovementDocument]) -> Vec<String> {
    let mut steps: Vec<Step> = Vec::new();
    for one in movements {
        let mechanism = one.mechanism.as_str().replace('_', " ");
        let step = Step {
            from: end(one, true),
            to: end(one, false),
            account: plain(&one.account),
            mechanism,
            first: one.time,
            last: one.time,
        };
        match steps.iter_mut().find(|known| known.is_like(&step)) {
            Some(known) => {
                known.first = known.first.min(step.first);
                known.last = known.last.max(step.last);
            }
            None => steps.push(step),
        }
    }
    let day = |at: Timestamp| second(at).split(' ').next().unwrap_or_default().to_owned();
    // The incident's own line says the day, where there is one only.
    let one_day = steps.iter().all(|step| day(step.first) == day(steps[0].first) && day(step.last) == day(step.first));
    let time =
        |at: Timestamp| if one_day { second(at).split(' ').nth(1).unwrap_or_default().to_owned() } else { second(at) };
    let longest = steps.iter().map(|step| step.from.chars().count()).max().unwrap_or_default();
    let line = |step: &Step| {
        let Step { from, to, account, mechanism, first, last } = step;
        let account = if account.is_empty() { String::new() } else { format!(" as {account}") };
        let until = if second(*first) == second(*last) { String::new() } else { format!(" to {}", time(*last)) };
        format!("{from:<longest$} --{mechanism}--> {to}{account}, {}{until}", time(*first))
    };
    steps.iter().map(line).collect()
}

/// A line before it is written.
#[derive(Debug)]
struct Step {
    from: String,
    to: String,
    account: String,
    mechanism: String,
    first: Timestamp,
    last: Timestamp,
}

impl Step {
    fn is_like(&self, other: &Self) -> bool {
        (&self.from, &self.to, &self.account, &self.mechanism)
            == (&other.from, &other.to, &other.account, &other.mechanism)
    }
}

/// One end: the machine's name, else its address, else a question mark.
fn end(movement: &MovementDocument, from: bool) -> String {
    let machine = if from { &movement.from } else { &movement.to };
    let names = [&machine.host, &machine.address];
    names.into_iter().find(|name| !name.is_empty()).map_or_else(|| "?".to_owned(), |name| plain(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn movement(second: i64, from: (&str, &str), to: &str) -> MovementDocument {
        let mut movement = MovementDocument {
            account: r"CORP\adm.vogt".into(),
            time: Timestamp::from_unix(1_700_000_000 + second, 0),
            ..MovementDocument::default()
        };
        movement.from.host = from.0.into();
        movement.from.address = from.1.into();
        movement.to.host = to.into();
        movement
    }

    #[test]
    fn movements_of_one_kind_are_one_line_and_a_machine_without_a_name_is_its_address() {
        let all = [
            movement(0, ("ws-041", "10.0.0.1"), "srv1"),
            movement(5, ("ws-041", ""), "srv1"),
            movement(9, ("", "10.0.0.2"), ""),
        ];
        assert_eq!(
            drawing(&all),
            [
                r"ws-041   --unknown--> srv1 as CORP\adm.vogt, 22:13:20 to 22:13:25",
                r"10.0.0.2 --unknown--> ? as CORP\adm.vogt, 22:13:29"
            ]
        );
        assert!(drawing(&[]).is_empty());
    }
}
