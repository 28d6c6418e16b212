//! As much of JSON Schema as the published schema uses. A keyword that is not known here fails the test.

use serde_json::Value;

/// Where and how a value breaks the schema.
pub(super) fn faults(root: &Value, schema: &Value, value: &Value, place: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (keyword, said) in schema.as_object().expect("a schema is an object") {
        let fault = |what: String| format!("{place}: {what}");
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" => {}
            "$ref" => {
                let pointer = said.as_str().unwrap().trim_start_matches('#');
                let target = root.pointer(pointer).unwrap_or_else(|| panic!("{said} leads nowhere"));
                all.extend(faults(root, target, value, place));
            }
            "type" => {
                let allowed = said.as_array().cloned().unwrap_or_else(|| vec![said.clone()]);
                if !allowed.iter().any(|name| is_a(value, name.as_str().unwrap())) {
                    all.push(fault(format!("not {said}")));
                }
            }
            "enum" => {
                if !said.as_array().unwrap().contains(value) {
                    all.push(fault(format!("none of {said}")));
                }
            }
            "pattern" => {
                let pattern = regex::Regex::new(said.as_str().unwrap()).unwrap();
                if value.as_str().is_some_and(|text| !pattern.is_match(text)) {
                    all.push(fault(format!("does not match {said}")));
                }
            }
            "minimum" => {
                if value.as_f64().is_some_and(|number| number < said.as_f64().unwrap()) {
                    all.push(fault(format!("less than {said}")));
                }
            }
            "maximum" => {
                if value.as_f64().is_some_and(|number| number > said.as_f64().unwrap()) {
                    all.push(fault(format!("more than {said}")));
                }
            }
            "minProperties" | "maxProperties" => {
                let count = value.as_object().map_or(0, serde_json::Map::len) as u64;
                let limit = said.as_u64().unwrap();
                if value.is_object()
                    && (if keyword == "minProperties" { count < limit } else { count > limit })
                {
                    all.push(fault(format!("{count} keys")));
                }
            }
            "required" => {
                for key in said.as_array().unwrap() {
                    if value.is_object() && value.get(key.as_str().unwrap()).is_none() {
                        all.push(fault(format!("lacks {key}")));
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    all.extend(faults(root, said, item, &format!("{place}[{index}]")));
                }
            }
            "properties" => {
                for (key, schema) in said.as_object().unwrap() {
                    if let Some(value) = value.get(key) {
                        all.extend(faults(root, schema, value, &format!("{place}.{key}")));
                    }
                }
            }
            "additionalProperties" => {
                let known = |key: &str| schema["properties"].get(key).is_some();
                for (key, value) in value.as_object().into_iter().flatten().filter(|(key, _)| !known(key)) {
                    match said {
                        Value::Bool(true) => {}
                        Value::Bool(false) => all.push(fault(format!("no key {key}"))),
                        schema => all.extend(faults(root, schema, value, &format!("{place}.{key}"))),
                    }
                }
            }
            "anyOf" => {
                let tries: Vec<_> = said
                    .as_array()
                    .unwrap()
                    .iter()
                    .map(|schema| faults(root, schema, value, place))
                    .collect();
                if tries.iter().all(|faults| !faults.is_empty()) {
                    all.push(fault(format!("fits nothing: {}", tries.concat().join(", "))));
                }
            }
            other => panic!("the schema uses `{other}`, which this test does not know"),
        }
    }
    all
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        other => panic!("the schema names a type `{other}`"),
    }
}
