//! The generator keeps its word: repeatable, exact in what it changes, and as messy as it says.

use super::*;

/// The rows of a file, header left out, of any number of columns.
fn rows(folder: &Path, table: Table) -> Vec<Vec<String>> {
    let path = folder.join(format!("{}.csv", table.name()));
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

fn written(business: &Business) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let counts = business.write(folder.path()).unwrap();
    for (table, count) in counts {
        assert_eq!(rows(folder.path(), table).len(), count, "{table:?}");
    }
    folder
}

#[test]
fn two_runs_agree_byte_for_byte_and_another_seed_differs() {
    let business = Business::new(200);
    let (a, b) = (written(&business), written(&business));
    let other = written(&Business { seed: 8, ..business });
    for table in TABLES {
        let read = |folder: &Path| fs::read(folder.join(format!("{}.csv", table.name()))).unwrap();
        assert_eq!(read(a.path()), read(b.path()), "{table:?}");
        assert_eq!(read(a.path()) == read(other.path()), table == Table::Products, "{table:?}");
    }
}

#[test]
fn exactly_so_many_people_change_and_none_of_them_has_a_flaw() {
    for (people, mess, changed, expected) in [
        (1000, true, 37, 37),
        (1000, false, 1000, 1000),
        (503, true, 1, 1),
        (60, true, 1000, 52),
        (50, true, 0, 0),
    ] {
        let first = Business { mess, ..Business::new(people) };
        let second = first.change(changed);
        let (before, after) = (written(&first), written(&second));
        let (before, after) = (rows(before.path(), Table::People), rows(after.path(), Table::People));
        let differ: Vec<usize> = (0..people).filter(|row| before[*row] != after[*row]).collect();
        assert_eq!(differ.len(), expected, "{people} people, {changed} changed");
        assert!(differ.iter().all(|row| first.flaw(*row).is_none()));
    }
}

#[test]
fn late_customers_come_with_the_second_edition_and_have_orders_before() {
    let first = Business::new(500);
    let (before, after) = (written(&first), written(&first.change(0)));
    let ids = |folder: &Path| {
        rows(folder, Table::Customers).into_iter().map(|row| row[0].clone()).collect::<Vec<_>>()
    };
    let (early, all) = (ids(before.path()), ids(after.path()));
    assert_eq!(all.len(), first.customers());
    let late: Vec<&String> = all.iter().filter(|id| !early.contains(id)).collect();
    assert_eq!(late.len(), 5);
    let orders = rows(before.path(), Table::Orders);
    assert!(late.iter().any(|id| orders.iter().any(|order| &order[1] == *id)));
}

#[test]
fn sound_people_have_emails_of_their_own_and_an_employer() {
    let business = Business { mess: false, ..Business::new(2000) };
    let folder = written(&business);
    let customers: std::collections::HashSet<String> =
        rows(folder.path(), Table::Customers).into_iter().map(|row| row[0].clone()).collect();
    let mut emails = std::collections::HashSet::new();
    for person in rows(folder.path(), Table::People) {
        assert!(customers.contains(&person[1]));
        assert!(emails.insert(person[6].trim().to_owned()), "{}", person[6]);
    }
    assert!(rows(folder.path(), Table::Orders).iter().all(|order| customers.contains(&order[1])));
}

#[test]
fn the_mess_is_there() {
    let business = Business::new(1000);
    let folder = written(&business);
    let people = rows(folder.path(), Table::People);
    let count = |flaw: Flaw| (0..1000).filter(|row| business.flaw(*row) == Some(flaw)).count();
    assert_eq!(people.iter().filter(|row| row[6].is_empty()).count(), count(Flaw::NoEmail));
    assert_eq!(people.iter().filter(|row| row[6].contains("(at)")).count(), count(Flaw::BadEmail));
    assert_eq!(
        people.iter().filter(|row| row.len() != people::PERSON_COLUMNS.len()).count(),
        count(Flaw::BrokenRow)
    );
    assert_eq!(people.iter().filter(|row| row[19] == "31.02.2021").count(), count(Flaw::BadDate));
    assert_eq!((count(Flaw::NoEmail), count(Flaw::UnknownRole), count(Flaw::BrokenRow)), (20, 18, 2));
    assert!(people.iter().any(|row| row[9].len() > 200), "an over-long job");
    let orders = rows(folder.path(), Table::Orders);
    assert!(orders.iter().any(|order| order[1].starts_with("C-8")), "an orphan");
    assert!(orders.iter().any(|order| order[4] == "see mail"), "an unknown status");
}
