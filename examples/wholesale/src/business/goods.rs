//! Products, orders with their lines, and the machines that were installed.

use super::dice::Dice;
use super::people::date;
use super::words::{CHANNELS, GOODS};
use super::{Business, customer_id, person_id};

pub(super) const PRODUCT_COLUMNS: &[&str] = &["sku", "name", "category", "price", "description"];

pub(super) const ORDER_COLUMNS: &[&str] =
    &["order_no", "customer_id", "person_id", "ordered_on", "status", "total", "channel", "reference"];

pub(super) const LINE_COLUMNS: &[&str] =
    &["line_id", "order_no", "sku", "name", "quantity", "unit_price", "discount_percent"];

pub(super) const MACHINE_COLUMNS: &[&str] = &[
    "serial_no",
    "customer_id",
    "caretaker_id",
    "model",
    "installed_on",
    "warranty_until",
    "contract",
    "operating_hours",
    "state",
];

const STATUSES: &[&str] = &["open", "confirmed", "shipped", "paid", "paid", "paid", "cancelled"];

/// Every good is sold in these packs.
const PACKS: &[(&str, &str, u32)] = &[("", "", 1), ("-S", ", set of 3", 3), ("-P", ", pallet", 20)];

pub(super) fn products() -> usize {
    GOODS.len() * PACKS.len()
}

pub(super) fn product(row: usize) -> Vec<String> {
    let good = article(row);
    vec![
        good.sku,
        good.name.clone(),
        good.category.to_owned(),
        euros(u64::from(good.cents)),
        format!("{}. Delivered from our store in Hamburg within 3 days.", good.name),
    ]
}

struct Article {
    sku: String,
    name: String,
    category: &'static str,
    cents: u32,
}

fn article(row: usize) -> Article {
    let number = row % GOODS.len();
    let (category, name, cents) = GOODS.get(number).copied().unwrap_or_default();
    let (suffix, pack, pieces) = PACKS.get(row / GOODS.len() % PACKS.len()).copied().unwrap_or_default();
    Article {
        sku: format!("HD-{:03}{suffix}", number + 101),
        name: format!("{name}{pack}"),
        category,
        cents: cents.saturating_mul(pieces),
    }
}

pub(super) struct Order {
    dice: Dice,
    customer: usize,
    known: bool,
    status: &'static str,
    lines: Vec<Line>,
}

struct Line {
    article: Article,
    quantity: usize,
    discount: u64,
}

impl Line {
    fn cents(&self) -> u64 {
        u64::from(self.article.cents) * self.quantity as u64 * (100 - self.discount) / 100
    }
}

impl Business {
    pub(super) fn order(&self, row: usize) -> Order {
        let mut dice = Dice::new(self.seed, "orders", row);
        let customer = dice.below(self.customers());
        let known = !(self.mess && row % 97 == 5);
        let status = if self.mess && row % 89 == 13 { "see mail" } else { dice.word(STATUSES) };
        let lines = (0..dice.below(4) + 1)
            .map(|_| Line {
                article: article(dice.below(products())),
                quantity: dice.below(6) + 1,
                discount: if dice.one_in(5) { 10 } else { 0 },
            })
            .collect();
        Order { dice, customer, known, status, lines }
    }

    pub(super) fn machine(&self, row: usize) -> Vec<String> {
        let mut dice = Dice::new(self.seed, "machines", row);
        let customer = dice.below(self.customers());
        let model = article(dice.below(4)).name;
        let year = 2015 + dice.below(10);
        let (month, day) = (dice.below(12) + 1, dice.below(28) + 1);
        let hours = dice.below(9_000);
        vec![
            format!("SN{:07}", 4_000_000 + row),
            customer_id(customer),
            person_id(self.first_person(customer)),
            model,
            format!("{day:02}.{month:02}.{year}"),
            format!("{}-{month:02}-{day:02}", year + 2),
            dice.word(&["none", "basic", "full", "full"]).to_owned(),
            format!("{}.{:03},{}", hours / 1000, hours % 1000, dice.below(10)),
            dice.word(&["running", "running", "running", "in repair", "retired"]).to_owned(),
        ]
    }
}

impl Order {
    pub(super) fn fields(mut self, business: &Business, row: usize) -> Vec<String> {
        let total = self.lines.iter().map(Line::cents).sum();
        let customer =
            if self.known { customer_id(self.customer) } else { format!("C-8{:05}", row % 100_000) };
        vec![
            number(row),
            customer,
            person_id(business.first_person(self.customer)),
            date(&mut self.dice, 2021, 5),
            self.status.to_owned(),
            euros(total),
            self.dice.word(CHANNELS).to_owned(),
            if self.dice.one_in(3) { format!("PO {}", 1000 + self.dice.below(9000)) } else { String::new() },
        ]
    }

    pub(super) fn line_fields(self, row: usize) -> Vec<Vec<String>> {
        let line = |(place, line): (usize, &Line)| {
            vec![
                format!("{}-{}", number(row), place + 1),
                number(row),
                line.article.sku.clone(),
                line.article.name.clone(),
                line.quantity.to_string(),
                euros(u64::from(line.article.cents)),
                line.discount.to_string(),
            ]
        };
        self.lines.iter().enumerate().map(line).collect()
    }
}

fn number(order: usize) -> String {
    format!("A{:07}", 100_001 + order)
}

fn euros(cents: u64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}
