//! The JSON Schema (draft 2020-12) of the settings, generated from the plan.

use serde_json::{Map, Value, json};

use crate::Catalogue;
use crate::form;
use crate::plan::{self, Field, Key, Shape};

/// The schema as text, ending with a line feed. Its ids and thresholds are those of the catalogue.
pub fn schema(catalogue: &Catalogue<'_>) -> String {
    let mut root = of(&plan::SETTINGS, catalogue);
    root["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    root["title"] = "Backchannel site settings".into();
    root["$defs"] = json!({
        "analytic": {"type": "string", "enum": catalogue.analytics},
        "joining": {"type": "string", "enum": catalogue.joining},
    });
    let mut text = serde_json::to_string_pretty(&sorted(root)).unwrap_or_default();
    text.push('\n');
    text
}

fn of(shape: &Shape, catalogue: &Catalogue<'_>) -> Value {
    match shape {
        Shape::Text => json!({"type": "string", "minLength": 1}),
        Shape::Word(words) => json!({"type": "string", "enum": words}),
        Shape::Flag => json!({"type": "boolean"}),
        Shape::Number(least, most) => json!({"type": "integer", "minimum": least, "maximum": most}),
        Shape::Moment => json!({
            "type": "string",
            "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:]{8}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))?$",
        }),
        Shape::Daily => json!({
            "type": "string",
            "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$",
        }),
        Shape::Pattern => json!({"type": "string", "minLength": 1, "maxLength": 512, "format": "regex"}),
        Shape::Hash => json!({"type": "string", "pattern": form::HASH}),
        Shape::Clsid => json!({"type": "string", "pattern": form::CLSID}),
        Shape::ComClass => json!({"type": "string", "pattern": form::COM_CLASS}),
        Shape::Address => json!({"type": "string", "pattern": form::ADDRESS}),
        Shape::Machine => json!({"type": "string", "pattern": form::MACHINE}),
        Shape::Tagged(fields, tag, key, kinds) => {
            let mut tagged = object(fields, &[], catalogue);
            let kind = |(word, shape): &(&str, Shape)| {
                let mut properties = Map::new();
                properties.insert((*tag).to_owned(), json!({"enum": [word]}));
                properties.insert((*key).to_owned(), of(shape, catalogue));
                json!({"properties": properties})
            };
            tagged["anyOf"] = kinds.iter().map(kind).collect();
            tagged
        }
        Shape::Analytic => json!({"$ref": "#/$defs/analytic"}),
        Shape::List(0, item) => json!({"type": "array", "items": of(item, catalogue)}),
        Shape::List(least, item) => json!({"type": "array", "minItems": least, "items": of(item, catalogue)}),
        Shape::Map(key, item) => {
            let mut object = json!({"type": "object", "additionalProperties": of(item, catalogue)});
            match key {
                Key::Any => {}
                Key::Analytic => object["propertyNames"] = json!({"$ref": "#/$defs/analytic"}),
                Key::Joining => object["propertyNames"] = json!({"$ref": "#/$defs/joining"}),
            }
            object
        }
        Shape::Thresholds => thresholds(catalogue),
        Shape::Object(fields, groups) => object(fields, groups, catalogue),
        Shape::Either(object, other) => json!({"anyOf": [of(other, catalogue), of(object, catalogue)]}),
    }
}

fn object(fields: &[Field], groups: &[&[&str]], catalogue: &Catalogue<'_>) -> Value {
    let mut properties = Map::new();
    for field in fields {
        let mut value = of(&field.shape, catalogue);
        value["description"] = field.description.into();
        properties.insert(field.key.to_owned(), value);
    }
    let mut object = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let required: Vec<&str> = fields.iter().filter(|field| field.required).map(|field| field.key).collect();
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    if !groups.is_empty() {
        object["anyOf"] = groups.iter().map(|group| json!({"required": group})).collect();
    }
    object
}

fn thresholds(catalogue: &Catalogue<'_>) -> Value {
    let mut analytics: Map<String, Value> = Map::new();
    for one in catalogue.thresholds {
        let entry = analytics
            .entry(one.analytic)
            .or_insert_with(|| json!({"type": "object", "additionalProperties": false, "properties": {}}));
        entry["properties"][one.name] = json!({
            "type": "integer", "minimum": one.min, "maximum": one.max, "default": one.default,
            "description": one.unit,
        });
    }
    json!({"type": "object", "additionalProperties": false, "properties": analytics})
}

/// Sorts the keys, whichever map type the JSON library uses.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}
