//! Replaces one member of a JSON object. All other members keep their bytes and their order, including those that this
//! version does not know.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::value::RawValue;

/// The members of a JSON object.
struct Members(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;

        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(InOrder)
    }
}

impl Serialize for Members {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// A finding's document with another `incident`, or with null.
///
/// # Errors
/// The document is not a JSON object; the error has line and column.
pub fn with_incident(document: &str, incident: Option<&str>) -> Result<String, serde_json::Error> {
    let mut members: Members = serde_json::from_str(document)?;
    let value = serde_json::value::to_raw_value(&incident)?;
    match members.0.iter_mut().find(|(name, _)| name == "incident") {
        Some((_, of)) => *of = value,
        None => members.0.push(("incident".to_owned(), value)),
    }
    serde_json::to_string(&members)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_incident_is_changed() {
        let document = r#"{"type":"finding","text":"\"incident\":null \u001b ü","later":[1.50,{"incident":null}],"incident":null,"z":{}}"#;
        let named = with_incident(document, Some("0a")).unwrap();
        assert_eq!(
            named,
            r#"{"type":"finding","text":"\"incident\":null \u001b ü","later":[1.50,{"incident":null}],"incident":"0a","z":{}}"#
        );
        assert_eq!(with_incident(&named, None).unwrap(), document);
        assert_eq!(with_incident("{}", Some("0a")).unwrap(), r#"{"incident":"0a"}"#);
        assert!(with_incident("[]", None).is_err());
    }
}
