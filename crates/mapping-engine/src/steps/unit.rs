//! Units of measure, converted with exact decimals.

use rust_decimal::{Decimal, RoundingStrategy};

use crate::flow::Failure;

/// A unit: what it measures, and how many of the base unit one of it is. Temperatures also have another zero.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unit {
    pub(crate) name: &'static str,
    measures: &'static str,
    /// Factor to the base unit, as a fraction of two whole numbers, so that it is exact.
    factor: (i64, i64),
    /// What is added to a value before the factor.
    shift: (i64, i64),
}

const fn unit(name: &'static str, measures: &'static str, top: i64, bottom: i64) -> Unit {
    Unit { name, measures, factor: (top, bottom), shift: (0, 1) }
}

/// International units, and the yard and pound of 1959 (1 in = 2.54 cm, 1 lb = 0.45359237 kg, 1 US gal = 231 in³,
/// 1 imp gal = 4.54609 l), which are exact by definition.
static UNITS: [Unit; 47] = [
    unit("mg", "mass", 1, 1_000_000),
    unit("g", "mass", 1, 1_000),
    unit("kg", "mass", 1, 1),
    unit("t", "mass", 1_000, 1),
    unit("oz", "mass", 45_359_237, 1_600_000_000),
    unit("lb", "mass", 45_359_237, 100_000_000),
    unit("st", "mass", 635_029_318, 100_000_000),
    unit("mm", "length", 1, 1_000),
    unit("cm", "length", 1, 100),
    unit("m", "length", 1, 1),
    unit("km", "length", 1_000, 1),
    unit("in", "length", 254, 10_000),
    unit("ft", "length", 3_048, 10_000),
    unit("yd", "length", 9_144, 10_000),
    unit("mi", "length", 1_609_344, 1_000),
    unit("nmi", "length", 1_852, 1),
    unit("cm2", "area", 1, 10_000),
    unit("m2", "area", 1, 1),
    unit("ha", "area", 10_000, 1),
    unit("km2", "area", 1_000_000, 1),
    unit("sqft", "area", 9_290_304, 100_000_000),
    unit("acre", "area", 40_468_564_224, 10_000_000),
    unit("ml", "volume", 1, 1_000),
    unit("cl", "volume", 1, 100),
    unit("l", "volume", 1, 1),
    unit("hl", "volume", 100, 1),
    unit("m3", "volume", 1_000, 1),
    unit("gal-us", "volume", 3_785_411_784, 1_000_000_000),
    unit("gal-imp", "volume", 454_609, 100_000),
    unit("bbl", "volume", 158_987_294_928, 1_000_000_000),
    unit("ms", "time", 1, 1_000),
    unit("s", "time", 1, 1),
    unit("min", "time", 60, 1),
    unit("h", "time", 3_600, 1),
    unit("d", "time", 86_400, 1),
    unit("week", "time", 604_800, 1),
    unit("kmh", "speed", 10, 36),
    unit("mps", "speed", 1, 1),
    unit("mph", "speed", 44_704, 100_000),
    unit("kwh", "energy", 3_600, 1),
    unit("mwh", "energy", 3_600_000, 1),
    unit("kj", "energy", 1, 1),
    unit("mj", "energy", 1_000, 1),
    unit("kcal", "energy", 4_184, 1_000),
    Unit { name: "c", measures: "temperature", factor: (1, 1), shift: (0, 1) },
    Unit { name: "f", measures: "temperature", factor: (5, 9), shift: (-32, 1) },
    Unit { name: "k", measures: "temperature", factor: (1, 1), shift: (-27_315, 100) },
];

/// A unit by its name in the mapping file.
pub(crate) fn find(name: &str) -> Option<&'static Unit> {
    UNITS.iter().find(|unit| unit.name == name)
}

/// The names of all units.
pub(crate) fn names() -> impl Iterator<Item = &'static str> + Clone {
    UNITS.iter().map(|unit| unit.name)
}

/// A conversion between two units of the same measure.
#[derive(Clone, Debug)]
pub(crate) struct Conversion {
    from: &'static Unit,
    to: &'static Unit,
    /// Places that the result is rounded to, halves away from zero.
    places: u32,
}

impl Conversion {
    /// `None`: the two measure different things.
    pub(crate) fn new(from: &'static Unit, to: &'static Unit, places: u32) -> Option<Conversion> {
        (from.measures == to.measures).then_some(Conversion { from, to, places })
    }

    /// The way back, precise enough that what it gives converts to the same number again.
    pub(crate) fn inverse(&self) -> Conversion {
        // One place more than the greatest ratio between two units of one measure has digits.
        Conversion { from: self.to, to: self.from, places: (self.places + 11).min(20) }
    }

    pub(crate) fn run(&self, value: Decimal) -> Result<Decimal, Failure> {
        self.exact(value)
            .map(|value| {
                value.round_dp_with_strategy(self.places, RoundingStrategy::MidpointAwayFromZero).normalize()
            })
            .ok_or_else(|| {
                Failure::new(
                    "bad-number",
                    "the converted number has more digits than an exact decimal of 28 digits holds",
                    "correct it at the source, or convert to a greater unit",
                )
            })
    }

    fn exact(&self, value: Decimal) -> Option<Decimal> {
        let ratio = |(top, bottom): (i64, i64)| Decimal::from(top).checked_div(Decimal::from(bottom));
        let value = value.checked_add(ratio(self.from.shift)?)?;
        // One division at the end, so that nothing is rounded before.
        let top = Decimal::from(self.from.factor.0).checked_mul(Decimal::from(self.to.factor.1))?;
        let bottom = Decimal::from(self.from.factor.1).checked_mul(Decimal::from(self.to.factor.0))?;
        let common = gcd(top, bottom)?;
        let value = value.checked_mul(top.checked_div(common)?)?.checked_div(bottom.checked_div(common)?)?;
        value.checked_sub(ratio(self.to.shift)?)
    }
}

/// The greatest common divisor of two whole numbers above zero.
fn gcd(mut a: Decimal, mut b: Decimal) -> Option<Decimal> {
    while !b.is_zero() {
        (a, b) = (b, a.checked_rem(b)?);
    }
    Some(a)
}
