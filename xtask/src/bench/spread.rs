//! Several measurements of one thing as their median between the least and the most.

/// Median, least and most.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    min: f64,
    max: f64,
}

impl Spread {
    /// `None` if there is no value, or one that is not finite, as of a run too short to measure.
    pub(super) fn of(values: impl IntoIterator<Item = f64>) -> Option<Spread> {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        if values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let middle = values.len() / 2;
        let upper = *values.get(middle)?;
        let median =
            if values.len() % 2 == 1 { upper } else { f64::midpoint(*values.get(middle - 1)?, upper) };
        Some(Spread { median, min: *values.first()?, max: *values.last()? })
    }

    /// `median [min-max]`; the median alone where all values read the same.
    pub(super) fn text(self, digits: usize) -> String {
        let [median, min, max] = [self.median, self.min, self.max].map(|value| format!("{value:.digits$}"));
        if min == max { median } else { format!("{median} [{min}-{max}]") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_stands_between_least_and_most() {
        let table: [(&[f64], &str); 5] = [
            (&[2.0], "2.0"),
            (&[3.0, 1.0], "2.0 [1.0-3.0]"),
            (&[9.0, 1.0, 2.0], "2.0 [1.0-9.0]"),
            (&[4.0, 1.0, 3.0, 2.0], "2.5 [1.0-4.0]"),
            (&[1.01, 1.02], "1.0"),
        ];
        for (values, text) in table {
            assert_eq!(Spread::of(values.iter().copied()).unwrap().text(1), text);
        }
    }

    #[test]
    fn nothing_measured_has_no_spread() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([1.0, f64::INFINITY]), None);
        assert_eq!(Spread::of([f64::NAN, 1.0]), None);
    }
}
