//! `application/x-www-form-urlencoded`, as the gateway reads bodies and queries.

use std::collections::BTreeMap;

/// The pairs of a form or query; of a name that occurs twice, the last.
pub type Form = BTreeMap<String, String>;

/// Reads a form. What cannot be decoded is kept as it stands: it will match nothing.
pub fn read(text: &str) -> Form {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect()
}

/// The metadata of a form: `metadata[name]=value`.
pub fn metadata(form: &Form) -> Form {
    let ours = |name: &str| Some(name.strip_prefix("metadata[")?.strip_suffix(']')?.to_owned());
    form.iter().filter_map(|(name, value)| Some((ours(name)?, value.clone()))).collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let code: Vec<u8> = rest.by_ref().take(2).collect();
                let code = std::str::from_utf8(&code).ok().and_then(|hex| u8::from_str_radix(hex, 16).ok());
                bytes.push(code.unwrap_or(b'?'));
            }
            other => bytes.push(other),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_decoded() {
        let form = read("metadata%5Brenewd_key%5D=a%20b%26c&amount=1000&note=x+y&empty=");
        assert_eq!(form["amount"], "1000");
        assert_eq!(form["note"], "x y");
        assert_eq!(metadata(&form), Form::from([("renewd_key".to_owned(), "a b&c".to_owned())]));
    }
}
