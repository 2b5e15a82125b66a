//! Where the next page of a list begins: the sort values and the id of the last row, in base64url. Opaque, and harmless
//! when made up.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use uuid::Uuid;

/// What is said of a cursor that is none.
pub(crate) const STRANGE: &str = "This cursor is not one of ours. Begin again with the first page.";

/// No stored text has a line feed.
const BETWEEN: char = '\n';

pub(crate) fn encode(values: &[&str], id: Uuid) -> String {
    let mut text: String = values.iter().flat_map(|v| [v, "\n"]).collect();
    text.push_str(&id.simple().to_string());
    URL_SAFE_NO_PAD.encode(text)
}

/// Nothing for one that is not ours.
pub(crate) fn decode<const N: usize>(cursor: &str) -> Option<([String; N], Uuid)> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let mut values: Vec<String> = text.split(BETWEEN).map(str::to_owned).collect();
    let id = Uuid::try_parse(&values.pop()?).ok()?;
    Some((values.try_into().ok()?, id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursors_come_back_and_others_are_refused() {
        let id = Uuid::from_u128(7);
        let (values, back) = decode::<2>(&encode(&["ünion 100%", ""], id)).unwrap();
        assert_eq!((values, back), (["ünion 100%".to_owned(), String::new()], id));
        for bad in ["", "x", "%", "MTIz", &encode(&["one"], id), &URL_SAFE_NO_PAD.encode("a\nb\n' OR 1=1")] {
            assert_eq!(decode::<2>(bad), None, "{bad}");
        }
    }
}
