//! The images of the store that all users of an early host share, as `GetBaseImages` lists them.

use serde_json::Value;
use wcow_host::BaseImage;
use wcow_ntmeta::{FileTime, HostPath};

/// The images of an answer, `{"Images":[{"Name","Version","Path","Size","CreatedTime"}]}`, by folder. A time that cannot be read is none;
/// an answer that is empty lists nothing.
pub(crate) fn images(answer: &str) -> Option<Vec<BaseImage>> {
    if answer.trim().is_empty() {
        return Some(Vec::new());
    }
    let answer: Value = serde_json::from_str(answer).ok()?;
    let entries = match answer.get("Images") {
        Some(Value::Array(entries)) => entries.as_slice(),
        Some(Value::Null) => &[],
        _ => return None,
    };
    let mut images = entries.iter().map(image).collect::<Option<Vec<_>>>()?;
    images.sort_by_key(|image| image.path.to_string());
    Some(images)
}

fn image(entry: &Value) -> Option<BaseImage> {
    let text = |key| entry.get(key).and_then(Value::as_str);
    Some(BaseImage {
        name: text("Name")?.to_owned(),
        version: text("Version")?.to_owned(),
        path: HostPath::parse(text("Path")?).ok()?,
        size: entry.get("Size").and_then(Value::as_u64).unwrap_or(0),
        created: text("CreatedTime").and_then(|time| FileTime::parse_rfc3339(time).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::images;

    #[test]
    fn images_are_listed_by_folder() {
        let answer = r#"{"Images":[
            {"Name":"WindowsServerCore","Version":"10.0.10514.0","Path":"C:\\Images\\B","Size":9696754476,"CreatedTime":"2015-08-14T15:51:55.0510000Z"},
            {"Name":"NanoServer","Version":"10.0.10514.0","Path":"C:\\Images\\A","CreatedTime":"yesterday"}]}"#;
        let images = images(answer).expect("a listing");
        let found: Vec<_> = images
            .iter()
            .map(|image| {
                (
                    &*image.name,
                    image.size,
                    image.created.map(|time| time.to_string()),
                )
            })
            .collect();
        let created = "2015-08-14T15:51:55.0510000Z".to_owned();
        assert_eq!(
            found,
            [
                ("NanoServer", 0, None),
                ("WindowsServerCore", 9_696_754_476, Some(created)),
            ]
        );
    }

    #[test]
    fn nothing_is_listed_or_it_is_no_listing() {
        for nothing in ["", "{\"Images\":[]}", "{\"Images\":null}"] {
            assert_eq!(images(nothing), Some(Vec::new()), "{nothing}");
        }
        for wrong in [
            "{}",
            "[]",
            "x",
            r#"{"Images":[{}]}"#,
            r#"{"Images":[{"Name":"a","Version":"1","Path":"a"}]}"#,
        ] {
            assert_eq!(images(wrong), None, "{wrong}");
        }
    }
}
