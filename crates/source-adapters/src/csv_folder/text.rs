//! Bytes to text, by the configured encoding.

use std::borrow::Cow;

use super::config::Encoding;

impl Encoding {
    /// The text of the bytes; `None` where they are none in this encoding.
    pub(crate) fn decode(self, bytes: &[u8]) -> Option<Cow<'_, str>> {
        match self {
            Encoding::Utf8 => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            _ if bytes.is_ascii() => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
            Encoding::Latin1 => Some(Cow::Owned(bytes.iter().map(|byte| char::from(*byte)).collect())),
            Encoding::Windows1252 => {
                bytes.iter().map(|byte| windows_1252(*byte)).collect::<Option<String>>().map(Cow::Owned)
            }
        }
    }
}

/// Five bytes have no character.
fn windows_1252(byte: u8) -> Option<char> {
    const HIGH: [char; 32] = [
        '€', '\0', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\0', 'Ž', '\0', '\0', '‘', '’',
        '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\0', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH.get(usize::from(byte - 0x80)).copied().filter(|c| *c != '\0'),
        _ => Some(char::from(byte)),
    }
}
