//! Names, places and goods. Made up; any likeness is chance.

/// A country as the business's clerks know it.
#[derive(Debug)]
pub(super) struct Country {
    /// The ways in which it stands in the files.
    pub(super) spellings: &'static [&'static str],
    pub(super) dial: &'static str,
    /// Area codes without the leading zero.
    pub(super) areas: &'static [&'static str],
    pub(super) mobile: &'static str,
    pub(super) language: &'static str,
    /// City, region and the first digits of its postcodes.
    pub(super) cities: &'static [(&'static str, &'static str, &'static str)],
    pub(super) streets: &'static [&'static str],
}

pub(super) const COUNTRIES: &[Country] = &[
    Country {
        spellings: &["Germany", "DE", "Deutschland", "GERMANY"],
        dial: "49",
        areas: &["30", "40", "89", "221"],
        mobile: "171",
        language: "de",
        cities: &[
            ("Berlin", "Berlin", "10"),
            ("Hamburg", "Hamburg", "20"),
            ("München", "Bayern", "80"),
            ("Köln", "Nordrhein-Westfalen", "50"),
        ],
        streets: &["Hauptstraße", "Lindenweg", "Am Großen Markt", "Schönhauser Allee"],
    },
    Country {
        spellings: &["France", "FR", "france"],
        dial: "33",
        areas: &["1", "2", "4", "5"],
        mobile: "6",
        language: "fr",
        cities: &[
            ("Paris", "Île-de-France", "75"),
            ("Nîmes", "Occitanie", "30"),
            ("Orléans", "Centre-Val de Loire", "45"),
        ],
        streets: &["Rue de l'Église", "Avenue Élysée", "Place du Marché", "Impasse des Forêts"],
    },
    Country {
        spellings: &["Netherlands", "NL", "Nederland"],
        dial: "31",
        areas: &["20", "10", "30"],
        mobile: "6",
        language: "nl",
        cities: &[
            ("Amsterdam", "Noord-Holland", "10"),
            ("Rotterdam", "Zuid-Holland", "30"),
            ("Utrecht", "Utrecht", "35"),
        ],
        streets: &["Prinsengracht", "Dorpsstraat", "Oranjekade"],
    },
    Country {
        spellings: &["Poland", "PL", "Polska"],
        dial: "48",
        areas: &["22", "12", "58"],
        mobile: "601",
        language: "pl",
        cities: &[("Kraków", "Małopolskie", "30"), ("Gdańsk", "Pomorskie", "80"), ("Łódź", "Łódzkie", "90")],
        streets: &["ulica Długa", "ulica Świętojańska", "aleja Wolności"],
    },
    Country {
        spellings: &["Denmark", "DK", "Danmark"],
        dial: "45",
        areas: &["33", "86"],
        mobile: "20",
        language: "da",
        cities: &[("København", "Hovedstaden", "11"), ("Århus", "Midtjylland", "80")],
        streets: &["Nørregade", "Østerbrogade", "Havnegade"],
    },
];

/// A given name, and how it is written in an e-mail address.
pub(super) const FIRST_NAMES: &[(&str, &str)] = &[
    ("Anna", "anna"),
    ("Jürgen", "juergen"),
    ("Zoë", "zoe"),
    ("Łukasz", "lukasz"),
    ("Renée", "renee"),
    ("Søren", "soren"),
    ("Åse", "ase"),
    ("Piet", "piet"),
    ("Chloé", "chloe"),
    ("Müge", "muege"),
    ("Nuño", "nuno"),
    ("Małgorzata", "malgorzata"),
    ("Jean-Luc", "jean-luc"),
    ("Femke", "femke"),
    ("Bjørn", "bjorn"),
    ("Katarzyna", "katarzyna"),
    ("Ömer", "oemer"),
    ("Sinéad", "sinead"),
    ("Tom", "tom"),
    ("Mathilde", "mathilde"),
    ("Aurélien", "aurelien"),
    ("Ida", "ida"),
    ("Joris", "joris"),
    ("Grażyna", "grazyna"),
];

/// A family name, and how it is written in an e-mail address.
pub(super) const LAST_NAMES: &[(&str, &str)] = &[
    ("Müller", "mueller"),
    ("van den Berg", "vandenberg"),
    ("Kowalski", "kowalski"),
    ("Lefèvre", "lefevre"),
    ("Sørensen", "sorensen"),
    ("Weiß", "weiss"),
    ("Dąbrowska", "dabrowska"),
    ("Étienne", "etienne"),
    ("O'Connor", "oconnor"),
    ("Nørgaard", "norgaard"),
    ("Schröder", "schroeder"),
    ("de Vries", "devries"),
    ("Żak", "zak"),
    ("Gonçalves", "goncalves"),
    ("Jansen", "jansen"),
    ("Böhm", "boehm"),
    ("Dupont", "dupont"),
    ("Çelik", "celik"),
    ("Nowak", "nowak"),
    ("Holm", "holm"),
];

pub(super) const TRADES: &[(&str, &str)] = &[
    ("Café", "cafe"),
    ("Bäckerei", "baeckerei"),
    ("Hôtel", "hotel"),
    ("Rösterei", "roesterei"),
    ("Bistro", "bistro"),
    ("Kantine", "kantine"),
    ("Restauracja", "restauracja"),
    ("Koffiehuis", "koffiehuis"),
    ("Konditori", "konditori"),
    ("Brasserie", "brasserie"),
];

pub(super) const LEGAL_FORMS: &[&str] = &["", "GmbH", "& Söhne OHG", "S.à r.l.", "B.V.", "ApS", "sp. z o.o."];

pub(super) const SEGMENTS: &[&str] = &["cafe", "bakery", "hotel", "office", "roastery"];

pub(super) const JOBS: &[&str] = &[
    "Owner",
    "Geschäftsführerin",
    "Head of Purchasing",
    "Barista",
    "Chef de cuisine",
    "Office Manager",
    "Facility Manager",
    "Accountant",
    "Restaurant Manager",
];

pub(super) const DEPARTMENTS: &[&str] = &["Purchasing", "Kitchen", "Accounts", "Service", "Management", ""];

pub(super) const ROLES: &[&str] = &["buyer", "decider", "user", "technician"];

pub(super) const NOTES: &[&str] = &[
    "",
    "",
    "",
    "Prefers to be called after 14:00.",
    "Met at the trade fair in Köln; wants a quote for two grinders.",
    "Ring at the back door, \"deliveries\" bell.",
    "Speaks English, Deutsch und ein bißchen Nederlands.",
    "Complained about the milk frother; solved by Ömer.",
];

/// Category, name, list price in cents.
pub(super) const GOODS: &[(&str, &str, u32)] = &[
    ("machine", "Espresso machine Aurora 2-group", 489_000),
    ("machine", "Espresso machine Piccola 1-group", 219_000),
    ("machine", "Filter brewer Nordlys", 64_900),
    ("machine", "Bean-to-cup Automat 400", 329_900),
    ("grinder", "Grinder Quarz 64", 79_500),
    ("grinder", "Grinder Quarz 83", 119_000),
    ("beans", "House blend Kontor, 1 kg", 1_890),
    ("beans", "Single origin Yirgacheffe, 1 kg", 2_790),
    ("beans", "Decaf Nuit Blanche, 1 kg", 2_190),
    ("part", "Group gasket set", 1_450),
    ("part", "Steam wand tip, 4 holes", 2_290),
    ("part", "Water filter cartridge", 3_990),
    ("care", "Descaler, 5 l", 2_450),
    ("care", "Cleaning tablets, 100 pieces", 1_795),
    ("ware", "Cappuccino cups, 6 pieces", 3_490),
    ("ware", "Tamper 58 mm, walnut", 4_950),
];

pub(super) const CHANNELS: &[&str] = &["webshop", "phone", "sales-rep", "fair"];
