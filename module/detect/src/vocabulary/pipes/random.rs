//! Recognises randomly generated names.
//!
//! Source of the model: counts of letter pairs in the words of English program text, rounded to whole bits; no text is
//! kept. A pair costs more bits the rarer it is; names that people choose cost fewer than 5 bits a pair.

use super::{bare, claim, is_guid, stream};

/// Bits that the letter `b` costs after the letter `a`, as digits: row `a`, column `b`.
const BITS: [&[u8; 26]; 26] = [
    b"74448758596343959343667768",
    b"35563667358367368446488958",
    b"37563783594467269453589979",
    b"35552568388566469546577869",
    b"46445558698453757333866568",
    b"46554367298467369444488969",
    b"46672764499465469345488988",
    b"27762787397666359564587959",
    b"55455559887442459534859796",
    b"36543567475665358646386989",
    b"46652666376565469535575969",
    b"37652778397477369645578959",
    b"25752768397656339646587979",
    b"47433537496676469643558978",
    b"65447658676443549344455789",
    b"37553665497476359344577959",
    b"76657588699276876445167998",
    b"37552668396656359544668969",
    b"57473674496567446642557969",
    b"37562674398566468345587758",
    b"54554669498443649333989898",
    b"36362678399657569645887969",
    b"36553675295664469446788789",
    b"46453576498547638652777658",
    b"46554667597444538534676777",
    b"36661676397667468765688965",
];
/// Bits that a change between letters and digits costs inside a word.
const CHANGE: u32 = 6;
/// Bits that a digit costs after a digit.
const DIGIT: u32 = 4;
/// Tenths of a bit a pair from which a name counts as random.
const THROWN: u32 = 52;

/// Whether a pipe's name looks random: 6 to 40 characters that cost too many bits, or mix cases and digits without
/// order, or are 32 or 64 hexadecimal digits. Names that contain their creator, and GUIDs, do not count: they are too
/// common to be significant.
pub fn is_random(name: &str) -> bool {
    let name = bare(name);
    if !(6..=64).contains(&name.len()) || !name.is_ascii() || name.contains(['\\', ' ', '{']) {
        return false;
    }
    if is_guid(name) || claim(name).is_some() || stream(name).is_some() {
        return false;
    }
    if name.bytes().all(|b| b.is_ascii_hexdigit()) && matches!(name.len(), 32 | 64) {
        return true;
    }
    name.len() <= 40 && (costs_much(name) || is_jumbled(name))
}

fn costs_much(name: &str) -> bool {
    let (mut sum, mut pairs) = (0, 0);
    for pair in name.as_bytes().windows(2) {
        let &[a, b] = pair else { continue };
        let cost = match (a.is_ascii_alphabetic(), b.is_ascii_alphabetic()) {
            (true, true) => bits(a, b),
            _ if a.is_ascii_digit() && b.is_ascii_digit() => DIGIT,
            _ if a.is_ascii_alphanumeric() && b.is_ascii_alphanumeric() => CHANGE,
            _ => continue,
        };
        sum += cost;
        pairs += 1;
    }
    pairs >= 5 && sum * 10 >= THROWN * pairs
}

fn bits(a: u8, b: u8) -> u32 {
    let at = |letter: u8| usize::from(letter.to_ascii_lowercase().wrapping_sub(b'a'));
    BITS.get(at(a)).and_then(|row| row.get(at(b))).map_or(0, |digit| u32::from(digit - b'0'))
}

/// One word that mixes both cases and digits, with at least 3.5 bits of entropy a character.
fn is_jumbled(name: &str) -> bool {
    let bytes = name.as_bytes();
    let has = |test: fn(&u8) -> bool| bytes.iter().any(test);
    if !bytes.iter().all(u8::is_ascii_alphanumeric)
        || !has(u8::is_ascii_digit)
        || !has(u8::is_ascii_uppercase)
        || !has(u8::is_ascii_lowercase)
    {
        return false;
    }
    let kind = |b: &u8| (b.is_ascii_digit(), b.is_ascii_uppercase());
    let changes = bytes.windows(2).filter(|pair| matches!(pair, [a, b] if kind(a) != kind(b))).count();
    let mut counts = [0u32; 128];
    for b in bytes {
        if let Some(count) = counts.get_mut(usize::from(*b)) {
            *count += 1;
        }
    }
    let length = bytes.len() as f32;
    let entropy: f32 = counts.iter().filter(|n| **n > 0).map(|n| *n as f32 / length).map(|p| -p * p.log2()).sum();
    // A word in title case with a trailing number changes its kind of character two or three times, a random one at every
    // second character.
    entropy >= 3.5 && changes * 2 >= bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_names_are_distinguished_from_chosen_ones() {
        for name in ["frAQBc8Wsa1", "xqzvkjwp", "kzqtrwxb", "0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e", "aZ3kQ9xW2mB7"] {
            assert!(is_random(name), "{name}");
        }
        for name in [
            "spoolss",
            "SearchTextHarvester",
            "VBoxTrayIPC-alice",
            "GoogleCrashServices",
            "vgauth-service",
            "Ctx_WinStation_API_service",
            "SapIServerPipes-1-5-5-0",
            "W32TIME_ALT",
            "LSM_API_service",
            "docker_engine",
            "9023de59-e026-4da5-97dd-913597cd038f",
            "mojo.5688.8052.18945720",
            r"\Winsock2\CatalogChangeListener-37c-0",
        ] {
            assert!(!is_random(name), "{name}");
        }
    }
}
