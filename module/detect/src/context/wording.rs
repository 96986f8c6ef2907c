//! [`Wording`]: the one long text of an event (its script, command line or message), and what is found out about it
//! once for all analytics.

use std::borrow::Cow;
use std::cell::OnceCell;

use backchannel_events::{Activity, ProcessEvent};

use super::script_text;
use crate::text;
use crate::vocabulary::dde;

/// The text of an event, ready to be searched many times.
#[derive(Debug)]
pub struct Wording<'t> {
    text: &'t str,
    grams: Grams,
    decoded: OnceCell<Option<String>>,
    squeezed: OnceCell<String>,
    instruction: OnceCell<Option<&'static str>>,
}

impl<'t> Wording<'t> {
    /// Reads the text of an event; `None` for an event that has none.
    pub fn of(event: &ProcessEvent<'t>) -> Option<Self> {
        let text = match &event.activity {
            Activity::Script(script) => script.text,
            Activity::ProcessStart => event.process.command_line,
            Activity::Text(text) => text.message,
            _ => return None,
        };
        Some(Self {
            text,
            grams: Grams::of(text),
            decoded: OnceCell::new(),
            squeezed: OnceCell::new(),
            instruction: OnceCell::new(),
        })
    }

    /// The text.
    pub fn text(&self) -> &'t str {
        self.text
    }

    /// Whether it contains `needle`, ASCII case ignored.
    pub fn contains(&self, needle: &str) -> bool {
        self.grams.may_contain(needle) && text::contains(self.text, needle)
    }

    /// Whether it contains one of `needles`, ASCII case ignored.
    pub fn contains_any(&self, needles: &[&str]) -> bool {
        needles.iter().any(|needle| self.contains(needle))
    }

    /// The DDE instruction in it, by the name of what was found.
    pub fn dde_instruction(&self) -> Option<&'static str> {
        *self.instruction.get_or_init(|| dde::instruction(self.text))
    }

    /// The text without quotes, escapes, brackets and blanks, in lower case, with an encoded PowerShell command decoded
    /// behind it. `None` without a copy where it holds none of `hints` (given as they stand in readable text) and hides
    /// nothing.
    pub fn squeezed(&self, hints: &[&str]) -> Option<Cow<'_, str>> {
        let text = text::clip(self.text, script_text::LONGEST);
        // What stands beyond the longest text that is read does not count.
        let hinted =
            if text.len() == self.text.len() { self.contains_any(hints) } else { text::contains_any(text, hints) };
        let plain = hinted || script_text::escapes(text);
        let decoded = self.decoded.get_or_init(|| script_text::decoded(text)).as_deref();
        let decoded = decoded.filter(|decoded| text::contains_any(decoded, hints) || script_text::escapes(decoded));
        let squeezed = || self.squeezed.get_or_init(|| script_text::squeeze(text)).as_str();
        match (plain, decoded) {
            (false, None) => None,
            (true, None) => Some(Cow::Borrowed(squeezed())),
            (plain, Some(decoded)) => {
                let before = if plain { squeezed() } else { "" };
                Some(Cow::Owned([before, "\n", &script_text::squeeze(decoded)].concat()))
            }
        }
    }
}

/// Which groups of four letters a text has, as a set of hashes: most words that are searched and not there are known
/// to be missing after one look. Only the groups at even places are kept; a word in the text shows them all, either
/// those that begin at its own even places or those at its odd ones.
struct Grams {
    bits: [u64; WORDS],
}

const WORDS: usize = 256;

impl std::fmt::Debug for Grams {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let set: u32 = self.bits.iter().map(|word| word.count_ones()).sum();
        f.debug_struct("Grams").field("set", &set).finish()
    }
}

impl Grams {
    fn of(text: &str) -> Self {
        let mut bits = [0_u64; WORDS];
        let mut set = |group: u32| {
            let (word, bit) = place(group);
            if let Some(word) = bits.get_mut(word) {
                *word |= bit;
            }
        };
        let (blocks, _) = text.as_bytes().as_chunks::<2>();
        for pair in blocks.windows(2) {
            if let [[a, b], [c, d]] = *pair {
                set(u32::from_le_bytes([a, b, c, d]));
            }
        }
        Self { bits }
    }

    fn may_contain(&self, word: &str) -> bool {
        let bytes = word.as_bytes();
        // A shorter word may lie between two groups.
        if bytes.len() < 5 {
            return true;
        }
        let has = |group: &[u8]| match *group {
            [a, b, c, d] => {
                let (word, bit) = place(u32::from_le_bytes([a, b, c, d]));
                self.bits.get(word).is_some_and(|word| word & bit != 0)
            }
            _ => false,
        };
        bytes.windows(4).step_by(2).all(has) || bytes.windows(4).skip(1).step_by(2).all(has)
    }
}

/// Where the group of four bytes has its bit. Setting a bit of each byte makes letters of both cases alike (and some
/// signs too, which costs a search and no find).
fn place(group: u32) -> (usize, u64) {
    let hash = (group | 0x2020_2020).wrapping_mul(0x9E37_79B1) >> 18;
    ((hash >> 6) as usize % WORDS, 1 << (hash & 63))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::script;

    #[test]
    fn a_word_is_found_at_every_place_and_in_every_case() {
        let words = ["abcde", "ExecuteExcel4Macro", ".Run(", "x/node:", "pipe", "|'"];
        for word in words {
            for before in 0..6 {
                for after in 0..3 {
                    let text = format!("{}{}{}", "q".repeat(before), word.to_ascii_uppercase(), "z".repeat(after));
                    assert!(Grams::of(&text).may_contain(word), "{word} in {text}");
                }
            }
        }
    }

    #[test]
    fn what_is_not_there_is_mostly_known_at_once() {
        let text: String = (0..2_000).map(|number| format!("Get-Item{number} ")).collect();
        let grams = Grams::of(&text);
        let words = ["CreateObject", "InprocServer32", "Elevation:", "NamedPipeServerStream", "subscription"];
        assert_eq!(words.iter().filter(|word| grams.may_contain(word)).count(), 0);
    }

    #[test]
    fn an_empty_text_has_nothing() {
        let event = script(0, "");
        let wording = Wording::of(&event).unwrap();
        assert!(!wording.contains("anything") && wording.contains("") && wording.squeezed(&["anything"]).is_none());
    }
}
