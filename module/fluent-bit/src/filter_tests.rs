//! The filter on records of any kind.

use super::*;

fn open() -> Filter {
    Filter::open(None, None).expect("no settings are good settings")
}

#[test]
fn what_says_nothing_is_passed_on() {
    let mut filter = open();
    for record in [
        "{}",
        "{\"log\":\"hello\"}",
        "",
        "[]",
        "null",
        "{",
        "{}}",
        "\u{0}",
        "{\"a\":18446744073709551616}",
        "{\"EventID\":1,\"EventID\":2,\"SourceName\":7}",
    ] {
        assert_eq!(filter.filter("tag", 0, record.as_bytes()), None, "{record}");
    }
    assert_eq!(filter.filter("tag", 0, &[0xff, 0xfe]), None);
}

#[test]
fn records_are_counted_for_each_tag_and_tags_are_bounded() {
    let mut filter = open();
    for round in 0..3 {
        for tag in 0..300 {
            filter.filter(&format!("tag{tag}"), 0, b"{}");
        }
        assert_eq!(filter.tags.len(), MOST_TAGS, "{round}");
    }
    assert_eq!(filter.count("tag299"), 4 - 2);
}
