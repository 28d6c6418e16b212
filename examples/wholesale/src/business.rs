//! The business's files, made from a seed: six CSV tables with the mess of real ones.
//!
//! Every row is a function of the seed, its table and its number, so files of any length stream out in constant
//! memory and two runs agree byte for byte. The mess, in the people's table and by row number in each 50
//! ([`Flaw`]): no e-mail, a malformed one, one that another person has; a day that no calendar has; an unknown
//! role; a customer who is in no file. Over-long texts, accents, spaces and the many ways to write a phone
//! number, a date or a country are everywhere. Some orders belong to customers who do not exist, some carry a
//! status nobody has heard of, some lines have a column too many, and a few customers reach the file only with
//! the second edition, although their orders stand in the first.

mod dice;
mod goods;
mod people;
mod words;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;

pub use people::Flaw;

/// The files that a business writes, in the order in which it writes them.
pub const TABLES: [Table; 6] =
    [Table::Customers, Table::People, Table::Products, Table::Orders, Table::OrderLines, Table::Machines];

/// One of the business's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Firms that buy: companies.
    Customers,
    /// Who works there: contacts, with 20 fields each.
    People,
    /// What is sold: products.
    Products,
    /// Deals.
    Orders,
    /// Line items.
    OrderLines,
    /// Installed machines: a custom object.
    Machines,
}

impl Table {
    /// The file's name without `.csv`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Table::Customers => "customers",
            Table::People => "people",
            Table::Products => "products",
            Table::Orders => "orders",
            Table::OrderLines => "order_lines",
            Table::Machines => "machines",
        }
    }

    fn header(self) -> &'static [&'static str] {
        match self {
            Table::Customers => people::CUSTOMER_COLUMNS,
            Table::People => people::PERSON_COLUMNS,
            Table::Products => goods::PRODUCT_COLUMNS,
            Table::Orders => goods::ORDER_COLUMNS,
            Table::OrderLines => goods::LINE_COLUMNS,
            Table::Machines => goods::MACHINE_COLUMNS,
        }
    }
}

/// A business, small or large, at one moment of its life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Business {
    /// Chance starts here.
    pub seed: u64,
    /// How many people; everything else follows from it: 2 customers, 10 orders and 2 machines for 5 people.
    pub people: usize,
    /// Whether the files carry flaws; without, every row can be synced.
    pub mess: bool,
    /// How many people have another job and another mobile number than at first: exactly so many of those rows
    /// that have no flaw, spread over the whole file.
    pub changed: usize,
    /// Whether the customers who come late are there yet.
    pub complete: bool,
}

impl Business {
    /// The first edition of a business with so many people.
    #[must_use]
    pub fn new(people: usize) -> Business {
        Business { seed: 7, people, mess: true, changed: 0, complete: false }
    }

    /// The second edition: so many people changed, and the late customers have come.
    #[must_use]
    pub fn change(&self, changed: usize) -> Business {
        Business { changed, complete: true, ..self.clone() }
    }

    /// Writes all files into the folder, which is made if need be, and says how many rows each has. A file that is
    /// there is replaced in one step, so that a reader never sees half of one.
    ///
    /// # Errors
    /// The folder or a file in it cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<Vec<(Table, usize)>> {
        TABLES.into_iter().map(|table| Ok((table, self.write_table(table, folder)?))).collect()
    }

    /// Writes one file and says how many rows it has.
    ///
    /// # Errors
    /// As [`Business::write`].
    pub fn write_table(&self, table: Table, folder: &Path) -> io::Result<usize> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{}.csv", table.name()));
        let draft = folder.join(format!("{}.csv.part", table.name()));
        let mut writer = csv::WriterBuilder::new()
            .flexible(true)
            .from_writer(BufWriter::with_capacity(1 << 16, File::create(&draft)?));
        writer.write_record(table.header())?;
        let rows = self.rows(table, &mut writer)?;
        writer.into_inner().map_err(|error| io::Error::other(error.to_string()))?.flush()?;
        fs::rename(&draft, &path)?;
        Ok(rows)
    }

    fn rows(&self, table: Table, writer: &mut csv::Writer<impl Write>) -> io::Result<usize> {
        let mut rows = 0;
        let mut put = |fields: Vec<String>| {
            rows += 1;
            writer.write_record(&fields)
        };
        match table {
            Table::Customers => {
                for row in 0..self.customers() {
                    if self.complete || !self.late(row) {
                        put(self.customer(row))?;
                    }
                }
            }
            Table::People => {
                for row in 0..self.people {
                    put(self.person(row))?;
                }
            }
            Table::Products => {
                for row in 0..goods::products() {
                    put(goods::product(row))?;
                }
            }
            Table::Orders => {
                for row in 0..self.orders() {
                    put(self.order(row).fields(self, row))?;
                }
            }
            Table::OrderLines => {
                for row in 0..self.orders() {
                    for fields in self.order(row).line_fields(row) {
                        put(fields)?;
                    }
                }
            }
            Table::Machines => {
                for row in 0..self.machines() {
                    put(self.machine(row))?;
                }
            }
        }
        Ok(rows)
    }

    /// How many customers there are once all have come.
    #[must_use]
    pub fn customers(&self) -> usize {
        (self.people * 2 / 5).max(1)
    }

    /// How many orders there are.
    #[must_use]
    pub fn orders(&self) -> usize {
        self.people * 2
    }

    /// How many machines are installed.
    #[must_use]
    pub fn machines(&self) -> usize {
        self.people * 2 / 5
    }

    /// How many customers reach the file with the second edition only.
    #[must_use]
    pub fn late_customers(&self) -> usize {
        (0..self.customers()).filter(|customer| self.late(*customer)).count()
    }

    /// Whether a customer reaches the file with the second edition only.
    fn late(&self, customer: usize) -> bool {
        self.mess && customer % 40 == 11
    }

    /// Where a person works.
    fn employer(&self, person: usize) -> usize {
        person * self.customers() / self.people.max(1)
    }

    /// The first of those who work there.
    fn first_person(&self, customer: usize) -> usize {
        (customer * self.people).div_ceil(self.customers())
    }
}

/// How ids look in the files.
fn customer_id(customer: usize) -> String {
    format!("C-{:06}", customer + 1)
}

fn person_id(person: usize) -> String {
    format!("P-{:07}", person + 1)
}

#[cfg(test)]
mod tests;
