//! Bytes as base64: the vectors of RFC 4648, and texts that are none.

use wcow_hcs_schema::Bytes;

#[test]
fn vectors() {
    for (bytes, text) in [
        ("", ""),
        ("f", "Zg=="),
        ("fo", "Zm8="),
        ("foo", "Zm9v"),
        ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
        ("\u{FF}\u{FE}>?", "w7/Dvj4/"),
    ] {
        let bytes = Bytes(bytes.as_bytes().to_vec());
        assert_eq!(bytes.to_base64(), text);
        assert_eq!(Bytes::from_base64(text), Some(bytes), "{text}");
    }
}

#[test]
fn what_is_none_is_refused() {
    for text in [
        "Z", "Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm 9", "Zm9-",
        "Zm9é",
    ] {
        assert_eq!(Bytes::from_base64(text), None, "{text:?}");
    }
}
