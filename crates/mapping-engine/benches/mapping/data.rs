//! Records as a shop's system would give them, the same for the same number of them.

use std::fmt::Write as _;

/// Numbers that look random (xorshift64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }

    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.below(words.len() as u64)).unwrap_or(0)]
    }
}

const FIRST: [&str; 8] = ["Ada", " Grace", "Jürgen ", "Zoë", "Anna-Lena", "Tom", "Ümit", "Wei"];
const LAST: [&str; 8] = ["King", "Hopper", "van  Beethoven", "Müller", "O'Neil", "Nowak", "García", "Li"];
const COMPANY: [&str; 6] =
    ["Acme GmbH", "Blue  Sky AG", "Contoso", "Delta & Söhne KG", "Echo", "Fabrikam  SE"];
const STREET: [&str; 5] = ["Hauptstraße", "Am Markt", "Elm Street", " Rue de Lyon", "Via Roma"];
const CITY: [&str; 6] = ["Ulm", "Köln", "Wien", "Zürich", "Lyon", "Bologna"];

/// So many records, one JSON object a line.
pub(crate) fn records(count: u64) -> String {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let mut text = String::new();
    for id in 0..count {
        let n = &mut numbers;
        let (first, last) = (n.pick(&FIRST), n.pick(&LAST));
        let host = n.pick(&["example.com", "Example.de", "mail.example.org"]);
        let phone = match n.below(4) {
            0 => format!("030 / {} {}-{}", n.below(900) + 100, n.below(90) + 10, n.below(90) + 10),
            1 => format!("+49 (0)89 {}", n.below(9_000_000) + 1_000_000),
            2 => format!("0049 221 {}", n.below(900_000) + 100_000),
            _ => format!("+4940{}", n.below(9_000_000) + 1_000_000),
        };
        let limit = match n.below(3) {
            0 => format!("{}.{:03},{:02}", n.below(900) + 1, n.below(1000), n.below(100)),
            1 => n.below(1000).to_string(),
            _ => format!("{},5", n.below(1000)),
        };
        let site = n.pick(&[
            "https://www.Acme.de/about?x=1",
            "http://contoso.example",
            "fabrikam.eu",
            "www.Blue-Sky.ch",
        ]);
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "{{\"id\":\"C{id:07}\",\"firstName\":\"{first}\",\"lastName\":\"{last}\",\"mail\":\" {}.{id}@{host}\",\
             \"phone\":\"{phone}\",\"mobile\":\"0171 {}\",\"company\":\"{}\",\"website\":\"{site}\",\"address\":{{\
             \"street\":\"{} {}\",\"zip\":\"{:05}\",\"city\":\"{}\",\"country\":\"{}\"}},\"status\":\"{}\",\
             \"limit\":\"{limit}\",\"discount\":{}.{:03},\"created\":\"20{:02}-{:02}-{:02}T{:02}:{:02}:00Z\",\
             \"birthday\":\"{:02}.{:02}.19{:02}\",\"newsletter\":\"{}\",\"tags\":\"{}\",\"note\":\"Line one\\nLine \
             \\\"two\\\"\",\"revision\":{}}}",
            n.pick(&["a", "Ada.K", "office", "x-y_z"]),
            n.below(9_000_000) + 1_000_000,
            n.pick(&COMPANY),
            n.pick(&STREET),
            n.below(200) + 1,
            n.below(99_999),
            n.pick(&CITY),
            n.pick(&["A", "CH", "D", "F", "I", "NL"]),
            n.pick(&["aktiv", "ruhend", "gesperrt", "interessent"]),
            n.below(40),
            n.below(1000),
            n.below(26),
            n.below(12) + 1,
            n.below(28) + 1,
            n.below(24),
            n.below(60),
            n.below(28) + 1,
            n.below(12) + 1,
            n.below(60) + 40,
            n.pick(&["ja", "Nein"]),
            n.pick(&["", "gold", "export;gold", "b2b; export ;vip"]),
            n.below(100),
        );
    }
    text
}
